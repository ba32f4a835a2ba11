// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/compose.hpp>
#include <statiq/graph/diagnosis.hpp>
#include <statiq/graph/node.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace statiq::detail {

/// Output extent and leading padding of one axis of a window.
struct axis {
    int out = 0;
    int pad_before = 0;
};

constexpr axis infer_axis(int in, int kernel, int stride, int dilation, padding_rule rule, int before, int after) {
    const int reach = (kernel - 1) * dilation + 1;
    switch (rule) {
    case padding_rule::same: {
        const int out = (in + stride - 1) / stride;
        return {out, (std::max)(0, (out - 1) * stride + reach - in) / 2};
    }
    case padding_rule::valid:
        return {in < reach ? 0 : (in - reach) / stride + 1, 0};
    case padding_rule::sides:
        break;
    }
    const int padded = in + before + after;
    return {padded < reach ? 0 : (padded - reach) / stride + 1, before};
}

/// Walks a user's graph, appends nodes with inferred shapes and keeps the first defect.
template <std::size_t Size>
struct graph_builder {
    node_array<Size> nodes{};
    std::array<bias_rule, Size> bias_rules{};
    std::array<label, max_outputs> output_names{};
    int output_count = 0;
    int count = 0;
    finding first{};

    constexpr void report(defect what, label layer, std::array<int, 3> expected = {}, std::array<int, 3> got = {}) {
        if (first.what != defect::none) return;
        first.what = what;
        first.layer = layer;
        for (std::size_t i = 0; i < 3; ++i) {
            first.expected[i] = expected[i];
            first.got[i] = got[i];
        }
    }

    /// Names are found by their hash, or building a network of 500 layers would take more steps than compilers allow.
    static constexpr std::size_t buckets = std::bit_ceil(2 * Size);
    std::array<int, buckets> named{}; ///< index of a node plus one; 0: empty

    /// The last ordinal that was given because a node has the name already.
    struct ordinal {
        operation kind = operation::input; ///< of the numbered node
        int last = 1;
    };
    std::array<ordinal, Size> ordinals{};

    /// The bucket that holds the name, or the empty one where it belongs.
    [[nodiscard]] constexpr std::size_t bucket_of(const label& name) const {
        std::uint32_t hash = 0x811c9dc5; // FNV-1a
        for (std::size_t i = 0; i < name.length; ++i)
            hash = (hash ^ static_cast<unsigned char>(name.text[i])) * 0x01000193U;
        std::size_t bucket = hash % buckets;
        while (named[bucket] != 0 && !(at(named[bucket] - 1).name == name)) bucket = (bucket + 1) % buckets;
        return bucket;
    }
    [[nodiscard]] constexpr int find(const label& name) const { return named[bucket_of(name)] - 1; }
    [[nodiscard]] constexpr const node& at(int index) const { return nodes[static_cast<std::size_t>(index)]; }
    constexpr node& at(int index) { return nodes[static_cast<std::size_t>(index)]; }

    /// The name of a new node: see `named`. A taken name gets an ordinal.
    [[nodiscard]] constexpr label name_for(const node& n, const label& path) {
        label wanted = path;
        if (n.kind == operation::batch_norm) {
            // A norm in a scope of its own is named by that scope.
            const bool belongs = n.input() >= 0 && at(n.input()).is_linear() && at(n.input()).name.is_in(path);
            wanted = (belongs ? at(n.input()).name : path) / label("bn");
        } else if (!n.is_linear() || path.empty()) {
            wanted = path.empty() ? label{} + to_string(n.kind) : path + "." + to_string(n.kind);
        }
        const int taken = find(wanted);
        if (taken < 0) return wanted;
        if (n.is_linear() && !path.empty()) wanted = path + "." + to_string(n.kind);
        ordinal& given = ordinals[static_cast<std::size_t>(taken)];
        if (given.kind != n.kind) given = {.kind = n.kind};
        for (;;) {
            const label numbered = wanted + "_" + ++given.last;
            if (find(numbered) < 0 || numbered.full()) return numbered;
        }
    }

    constexpr int append(const node& n, bias_rule bias) {
        if (n.name.full()) report(defect::label, n.name);
        bias_rules[static_cast<std::size_t>(count)] = bias;
        at(count) = n;
        named[bucket_of(n.name)] = count + 1;
        return count++;
    }

    // ---- one function for each kind of part; each returns the index of the part's output node -----------------

    template <layer_spec S>
    constexpr int emit(const layer<S>&, int from_node, const label& path, const layer_numbers& numbers) {
        node n{.kind = S.kind, .by_table = S.by_table, .epsilon = S.epsilon, .numbers = numbers};
        if constexpr (S.kind == operation::input) {
            n.out = S.shape;
            n.in = S.shape;
            n.inputs[0] = -1;
            n.name = name_for(n, path);
            if (from_node >= 0) report(defect::input_first, n.name);
            return append(n, bias_rule::never);
        } else {
            n.inputs[0] = from_node;
            n.name = name_for(n, path);
            if (from_node < 0) {
                report(defect::input_first, n.name);
                return append(n, bias_rule::never);
            }
            n.input_count = 1;
            n.in = at(from_node).out;
            shape(n, S);
            return append(n, S.bias);
        }
    }

    constexpr int emit(const chain<>&, int from_node, const label&, const layer_numbers&) { return from_node; }
    template <int Rank, class Last, class... Front>
    constexpr int emit(const chain<run_of_parts<Rank, Last>, Front...>&, int from_node, const label& path,
                       const layer_numbers& numbers) {
        const int before = this->emit(chain<Front...>{}, from_node, path, numbers);
        return this->emit(Last{}, before, path, numbers);
    }
    template <class First, class Second>
    constexpr int emit(const pair_of_runs<First, Second>&, int from_node, const label& path,
                       const layer_numbers& numbers) {
        return this->emit(Second{}, this->emit(First{}, from_node, path, numbers), path, numbers);
    }

    template <operation Join, class Branches, std::size_t Count>
    constexpr int emit(const join<Join, Branches, Count>&, int from_node, const label& path,
                       const layer_numbers& numbers) {
        node n{.kind = Join, .numbers = numbers};
        int branches = 0;
        sequence::for_each(Branches{}, [&](const auto& branch) {
            const int end = this->emit(branch, from_node, path, numbers);
            if (branches < max_inputs) n.inputs[static_cast<std::size_t>(branches)] = end;
            ++branches;
        });
        n.input_count = (std::min)(branches, max_inputs);
        n.name = name_for(n, path);
        if (from_node < 0) {
            report(defect::input_first, n.name);
            return append(n, bias_rule::never);
        }
        if (branches > max_inputs) report(defect::joined, n.name, {max_inputs}, {branches});
        n.in = n.out = at(n.input()).out;
        for (int i = 1; i < n.input_count; ++i) {
            const extents& next = at(n.inputs[static_cast<std::size_t>(i)]).out;
            if (next.height != n.in.height || next.width != n.in.width)
                report(defect::extents, n.name, {n.in.height, n.in.width}, {next.height, next.width});
            if (Join == operation::concat)
                n.out.channels += next.channels;
            else if (next.channels != n.in.channels)
                report(defect::channels, n.name, {n.in.channels}, {next.channels});
        }
        return append(n, bias_rule::never);
    }

    template <label Name, class Part>
    constexpr int emit(const scope<Name, Part>&, int from_node, const label& path, const layer_numbers& numbers) {
        return emit(Part{}, from_node, path / Name, numbers);
    }

    template <layer_numbers Numbers, class Part>
    constexpr int emit(const with_numbers<Numbers, Part>&, int from_node, const label& path,
                       const layer_numbers& outer) {
        layer_numbers numbers = Numbers; // what it leaves open is as outside
        if (!numbers.chosen_activation) {
            numbers.chosen_activation = outer.chosen_activation;
            numbers.activation = outer.activation;
        }
        return emit(Part{}, from_node, path, numbers);
    }

    constexpr int emit(const identity_part&, int from_node, const label&, const layer_numbers&) { return from_node; }

    /// A label names a scope, and a scope's value is that of its last node so far; -1 where there is none.
    constexpr int last_in(const label& scope) {
        for (int i = count - 1; i >= 0; --i)
            if (at(i).name.is_in(scope)) return i;
        report(defect::reference, scope);
        return -1;
    }
    template <label Name>
    constexpr int emit(const reference_part<Name>&, int from_node, const label&, const layer_numbers&) {
        const int index = last_in(Name);
        return index < 0 ? from_node : index;
    }

    template <label... Names>
    constexpr int emit(const outputs_part<Names...>&, int from_node, const label&, const layer_numbers&) {
        (name_output(Names), ...);
        return from_node;
    }
    constexpr void name_output(const label& name) {
        const int index = last_in(name);
        if (index < 0) return;
        if (at(index).output != 0 || output_count == max_outputs) {
            report(defect::outputs, name, {max_outputs}, {output_count + 1});
            return;
        }
        output_names[static_cast<std::size_t>(output_count)] = name;
        at(index).output = ++output_count;
    }

    /// To be called last, with the index of the whole body's value.
    constexpr void finish(int output) {
        if (output < 0)
            report(defect::input_first, label{});
        else if (output != count - 1)
            report(defect::output, at(output).name);
        // Batch norm subtracts the mean: a bias is idle where nothing else reads the layer.
        std::array<int, Size> norms{};
        std::array<int, Size> others{};
        for (int i = 0; i < count; ++i)
            for (int k = 0; k < at(i).input_count; ++k)
                ++(at(i).kind == operation::batch_norm
                       ? norms
                       : others)[static_cast<std::size_t>(at(i).inputs[static_cast<std::size_t>(k)])];
        for (std::size_t i = 0; i < Size; ++i)
            if (bias_rules[i] == bias_rule::unless_batch_norm_follows && norms[i] > 0 && others[i] == 0)
                nodes[i].has_bias = false;
    }

    constexpr void shape(node& n, const layer_spec& s) {
        n.out = n.in;
        const bool flat = n.in.height == 1 && n.in.width == 1;
        switch (s.kind) {
        case operation::convolution:
        case operation::max_pool:
        case operation::average_pool: {
            const int stride_height = s.stride_height == 0 ? s.kernel_height : s.stride_height;
            const int stride_width = s.stride_width == 0 ? s.kernel_width : s.stride_width;
            const axis rows = infer_axis(n.in.height, s.kernel_height, stride_height, s.dilation_height, s.padding,
                                         s.pad_top, s.pad_bottom);
            const axis columns = infer_axis(n.in.width, s.kernel_width, stride_width, s.dilation_width, s.padding,
                                            s.pad_left, s.pad_right);
            n.over = {s.kernel_height,   s.kernel_width,   stride_height,   stride_width,
                      s.dilation_height, s.dilation_width, rows.pad_before, columns.pad_before};
            n.out = {rows.out, columns.out, n.in.channels};
            if (rows.out < 1 || columns.out < 1)
                report(defect::window, n.name,
                       {n.in.height + s.pad_top + s.pad_bottom, n.in.width + s.pad_left + s.pad_right},
                       {(s.kernel_height - 1) * s.dilation_height + 1, (s.kernel_width - 1) * s.dilation_width + 1});
            if (s.is_pool() && s.padding == padding_rule::sides) {
                // Some window would hold nothing of the image: it has no maximum and no mean.
                const int vertical = (std::max)(s.pad_top, s.pad_bottom);
                const int horizontal = (std::max)(s.pad_left, s.pad_right);
                if (vertical >= s.kernel_height || horizontal >= s.kernel_width)
                    report(defect::padding, n.name, {vertical, horizontal}, {s.kernel_height, s.kernel_width});
            }
            if (s.kind != operation::convolution) break;
            n.groups = s.depthwise ? n.in.channels : s.groups;
            n.out.channels = s.depthwise ? n.in.channels * s.out_channels : s.out_channels;
            n.has_bias = s.bias != bias_rule::never;
            if (n.in.channels % n.groups != 0 || n.out.channels % n.groups != 0)
                report(defect::groups, n.name, {n.groups}, {n.in.channels, n.out.channels});
            break;
        }
        case operation::dense:
            if (!flat) report(defect::flat, n.name, {}, {n.in.height, n.in.width, n.in.channels});
            n.out = {1, 1, s.out_channels};
            n.has_bias = s.bias != bias_rule::never;
            break;
        case operation::softmax:
            if (!flat) report(defect::flat, n.name, {}, {n.in.height, n.in.width, n.in.channels});
            break;
        case operation::reshape:
            n.out = s.shape == extents{0, 0, 0} ? extents{1, 1, static_cast<int>(n.in.size())} : s.shape;
            if (n.out.size() != n.in.size())
                report(defect::size, n.name, {static_cast<int>(n.in.size())}, {static_cast<int>(n.out.size())});
            break;
        case operation::broadcast: {
            n.out = s.shape;
            const auto repeats = [](int from, int to) { return from == to || from == 1; };
            if (!repeats(n.in.height, n.out.height) || !repeats(n.in.width, n.out.width) ||
                !repeats(n.in.channels, n.out.channels))
                report(defect::broadcast, n.name, {n.out.height, n.out.width, n.out.channels},
                       {n.in.height, n.in.width, n.in.channels});
            break;
        }
        case operation::transpose: {
            const std::array<int, 3> from{n.in.height, n.in.width, n.in.channels};
            const auto axis_extent = [&](std::size_t i) { return from[static_cast<std::size_t>(s.axes[i])]; };
            n.axes = s.axes;
            n.out = {axis_extent(0), axis_extent(1), axis_extent(2)};
            break;
        }
        case operation::pad:
            n.over = {.pad_top = s.pad_top, .pad_left = s.pad_left};
            n.out = {n.in.height + s.pad_top + s.pad_bottom, n.in.width + s.pad_left + s.pad_right, n.in.channels};
            break;
        case operation::upsample:
            n.out = {n.in.height * s.rows, n.in.width * s.columns, n.in.channels};
            break;
        case operation::global_average_pool:
            n.out = {1, 1, n.in.channels};
            break;
        default:
            break;
        }
    }
};

template <graph_part Body>
constexpr auto build_graph(const Body& body) {
    graph_builder<Body::size> builder;
    builder.finish(builder.emit(body, -1, label{}, layer_numbers{}));
    return builder;
}

} // namespace statiq::detail
