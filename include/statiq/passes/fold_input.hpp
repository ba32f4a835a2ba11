// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/diagnosis.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/operations/byte_image.hpp>
#include <statiq/operations/input.hpp>
#include <statiq/operations/pad.hpp>
#include <statiq/passes/byte_values.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/passes/rewrite.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <type_traits>

namespace statiq {

// Why a network cannot take the bytes of an image.

/// Means and deviations are folded into weights. This layer reads the input (or the input is an output), and has none;
/// or the network's input is bytes already.
template <class Layer>
struct bytes_need_a_linear_layer : rejection {};
/// This layer pads, and padding is the real 0, which is no byte: the channels' means are not one whole number.
/// `nearest_padding` accepts the nearest byte for convolutions; `padding_error` says what it costs.
template <class Layer>
struct padding_is_no_byte : rejection {};
/// Means or deviations for another number of channels than the input has.
template <class Layer, int Given, int Channels>
struct other_channels_in_bytes : rejection {};

/// Refuses a network that cannot take bytes.
template <class Verdict>
struct check_bytes {
    static_assert(Verdict::accepted,
                  "statiq: this network cannot take these bytes; the type says which layer, and why");
    static constexpr bool passed = true;
};

namespace detail {

/// Whether windows leave the image.
constexpr bool pads(const convolution_shape& shape) {
    const window& over = shape.over;
    const auto leaves = [](int in, int out, int stride, int kernel, int dilation, int before) {
        return before > 0 || (out - 1) * stride + (kernel - 1) * dilation - before >= in;
    };
    return leaves(shape.in.height, shape.out.height, over.stride_height, over.kernel_height, over.dilation_height,
                  over.pad_top) ||
           leaves(shape.in.width, shape.out.width, over.stride_width, over.kernel_width, over.dilation_width,
                  over.pad_left);
}

/// The channel of the whole input that is number k of those that output channel o reads.
constexpr int input_channel(const convolution_shape& shape, int o, int k) {
    return o / shape.out_channels_per_group() * shape.in_channels_per_group() + k;
}

/// Of each node, whether its value is the input's, moved but not changed.
template <std::size_t Size>
constexpr std::array<bool, Size> nodes_with_input(const node_array<Size>& nodes) {
    std::array<bool, Size> carried{};
    for (std::size_t i = 0; i < Size; ++i) {
        const node& n = nodes[i];
        const bool reads = n.input_count == 1 && carried[static_cast<std::size_t>(n.input())];
        // In memory a value's channel is its place modulo the channels; other shapes keep that.
        const bool moved = n.traits().moves_no_data && n.out.channels % nodes[0].out.channels == 0;
        carried[i] = n.is_source() || (reads && (moved || n.is<operations::pad>()));
    }
    return carried;
}
template <std::size_t Size>
constexpr bool reads_input(const node& n, const std::array<bool, Size>& carried) {
    for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
        if (carried[static_cast<std::size_t>(n.inputs[k])]) return true;
    return false;
}

enum class byte_defect : unsigned char { none, no_linear_layer, padding };

template <std::size_t Size>
constexpr byte_defect find_byte_defect(const node_array<Size>& nodes, std::size_t i, const byte_values& bytes) {
    const auto carried = nodes_with_input(nodes);
    const node& n = nodes[i];
    if (carried[i] && (n.output != 0 || i == Size - 1)) return byte_defect::no_linear_layer;
    if (n.is_source()) return n.is<operations::input>() ? byte_defect::none : byte_defect::no_linear_layer;
    if (!reads_input(n, carried)) return byte_defect::none;
    if (!carried[i] && !n.is_linear()) return byte_defect::no_linear_layer;
    if (bytes.zero_is_a_byte()) return byte_defect::none;
    if (n.is<operations::pad>() && n.in != n.out) return byte_defect::padding;
    return n.is_linear() && pads(n.convolution()) && !bytes.pads_nearly ? byte_defect::padding : byte_defect::none;
}

template <graph_type G, class Bytes>
constexpr auto verdict_on_bytes() {
    constexpr byte_values bytes = Bytes::values;
    constexpr node input = G::nodes[0];
    constexpr int channels = input.out.channels;
    constexpr std::size_t first = [] {
        std::size_t i = 0;
        while (i < node_count<G> && find_byte_defect(G::nodes, i, Bytes::values) == byte_defect::none) ++i;
        return i;
    }();
    constexpr node n = G::nodes[first < node_count<G> ? first : 0];
    if constexpr (bytes.mean.count != 1 && bytes.mean.count != channels)
        return other_channels_in_bytes<spelt<input.name>, bytes.mean.count, channels>{};
    else if constexpr (bytes.deviation.count != 1 && bytes.deviation.count != channels)
        return other_channels_in_bytes<spelt<input.name>, bytes.deviation.count, channels>{};
    else if constexpr (first == node_count<G>)
        return sound{};
    else if constexpr (find_byte_defect(G::nodes, first, bytes) == byte_defect::padding)
        return padding_is_no_byte<spelt<n.name>>{};
    else
        return bytes_need_a_linear_layer<spelt<n.name>>{};
}

/// @tparam Bytes void: the input is none
template <graph_type G, class Bytes>
constexpr auto bytes_verdict() {
    if constexpr (std::is_void_v<Bytes>)
        return sound{};
    else
        return verdict_on_bytes<G, Bytes>();
}

template <class Bytes>
struct fold_input_pass {
    using source = operations::byte_image<Bytes::values.zero_point()>;
    using adds = operation_list<source>;

    template <std::size_t Size>
    static constexpr auto run(const node_array<Size>& nodes) {
        const auto carried = nodes_with_input(nodes);
        rewriting<Size> out;
        for (std::size_t i = 0; i < Size; ++i) {
            node n = nodes[i];
            if (n.is_source()) n.facts = &facts_of<source>;
            if (carried[i]) {
                n.numbers.chosen_activation = true;
                n.numbers.activation = quantized<8, asymmetric>::format;
            } else if (reads_input(n, carried)) {
                n.has_bias = true;
            }
            out.keep(n, static_cast<int>(i));
        }
        return out;
    }
};

/// A layer on reals as a layer on bytes less the zero point: w' = w / deviation, b' = b + sum of w' (zero point -
/// mean), in double, each rounded once.
inline layer_parameters fold_bytes(const convolution_shape& shape, const byte_values& bytes, int channels,
                                   const layer_parameters& from) {
    layer_parameters folded = from;
    folded.bias.resize(static_cast<std::size_t>(shape.out.channels));
    for (int o = 0; o < shape.out.channels; ++o) {
        const auto place = static_cast<std::size_t>(o);
        double bias = from.bias.empty() ? 0.0 : static_cast<double>(from.bias[place]);
        for (int tap = 0; tap < shape.over.taps(); ++tap)
            for (int k = 0; k < shape.in_channels_per_group(); ++k) {
                const int c = input_channel(shape, o, k) % channels;
                float& weight = folded.weight[shape.weight_index(o, tap, k)];
                weight = static_cast<float>(static_cast<double>(weight) / static_cast<double>(bytes.deviation.of(c)));
                bias += static_cast<double>(weight) * (bytes.zero_point() - static_cast<double>(bytes.mean.of(c)));
            }
        folded.bias[place] = static_cast<float>(bias);
    }
    return folded;
}

/// What padding adds to an output pixel of a channel where the byte nearest to 0 stands for 0.
inline double padded_part(const convolution_shape& shape, const byte_values& bytes, int channels,
                          const layer_parameters& folded, int y, int x, int o) {
    const window& over = shape.over;
    double sum = 0;
    for (int tap = 0; tap < over.taps(); ++tap) {
        const int row = y * over.stride_height - over.pad_top + tap / over.kernel_width * over.dilation_height;
        const int column = x * over.stride_width - over.pad_left + tap % over.kernel_width * over.dilation_width;
        if (row >= 0 && row < shape.in.height && column >= 0 && column < shape.in.width) continue;
        for (int k = 0; k < shape.in_channels_per_group(); ++k) {
            const int c = input_channel(shape, o, k) % channels;
            sum += static_cast<double>(folded.weight[shape.weight_index(o, tap, k)]) *
                   (bytes.zero_point() - static_cast<double>(bytes.mean.of(c)));
        }
    }
    return sum;
}

} // namespace detail

namespace detail {

template <graph_type G, class Bytes>
struct with_input_folded : rewritten<fold_input_pass<Bytes>, G> {};

/// Refuses bytes where they are written down, before a concept asks for the graph: fewer lines of explanation.
template <graph_type G, class Bytes>
struct bytes_checked {
    using type = with_input_folded<G, Bytes>;
    static_assert(check_bytes<decltype(bytes_verdict<G, Bytes>())>::passed);
};

} // namespace detail

/// A deployed graph whose input is the bytes of an image: means and deviations are in the layers that read it. Bytes
/// are the input's integers, at scale 1 and a zero point, the byte nearest to all means.
///
/// In real arithmetic it computes what G does of (byte - mean) / deviation, and where no window leaves the image, or
/// the means are one whole number, exactly that. Float weights and biases are rounded once more: with u = 2^-24 an
/// output of a layer that reads the input moves by at most u (sum of |w x| + |b'|). Where padding would read a byte
/// that is not 0 it is refused (`padding_is_no_byte<layer>`), unless `nearest_padding` asks for that.
/// @tparam Bytes `byte_image<...>`
template <graph_type G, detail::meaning_of_bytes Bytes>
using input_folded = typename detail::bytes_checked<G, Bytes>::type;

/// The parameters that go with `input_folded<G, Bytes>`.
template <detail::meaning_of_bytes Bytes, graph_type G>
parameters<input_folded<G, Bytes>> fold_input(const parameters<G>& deployed_parameters) {
    using folded = input_folded<G, Bytes>;
    detail::require_sizes(G::nodes, deployed_parameters.layers);
    const auto carried = detail::nodes_with_input(G::nodes);
    parameters<folded> out;
    out.layers = deployed_parameters.layers;
    for (std::size_t i = 0; i < node_count<G>; ++i)
        if (!carried[i] && detail::reads_input(G::nodes[i], carried))
            out[i] = detail::fold_bytes(folded::nodes[i].convolution(), Bytes::values, G::nodes[0].out.channels,
                                        deployed_parameters[i]);
    return out;
}

/// The ranges that go with it: the input's are those of bytes, all others stay.
template <detail::meaning_of_bytes Bytes, graph_type G>
node_ranges<input_folded<G, Bytes>> fold_input(const node_ranges<G>& ranges) {
    const auto carried = detail::nodes_with_input(G::nodes);
    const auto zero = static_cast<float>(Bytes::values.zero_point());
    node_ranges<input_folded<G, Bytes>> out;
    for (std::size_t i = 0; i < node_count<G>; ++i) out[i] = carried[i] ? range{-zero, 255 - zero} : ranges[i];
    return out;
}

/// What `nearest_padding` costs: the greatest distance, over pixels and channels of all layers that read the input,
/// between what the folded layer and the layer as it was add for padded taps. It depends on no image. 0: exact.
template <detail::meaning_of_bytes Bytes, graph_type G>
double padding_error(const parameters<G>& deployed_parameters) {
    using folded = input_folded<G, Bytes>;
    const parameters<folded> made = fold_input<Bytes>(deployed_parameters);
    const auto carried = detail::nodes_with_input(G::nodes);
    double greatest = 0;
    for (std::size_t i = 0; i < node_count<G>; ++i) {
        const node& n = folded::nodes[i];
        if (carried[i] || !detail::reads_input(n, carried)) continue;
        for (int y = 0; y < n.out.height; ++y)
            for (int x = 0; x < n.out.width; ++x)
                for (int o = 0; o < n.out.channels; ++o)
                    greatest =
                        (std::max)(greatest, std::abs(detail::padded_part(n.convolution(), Bytes::values,
                                                                          G::nodes[0].out.channels, made[i], y, x, o)));
    }
    return greatest;
}

} // namespace statiq
