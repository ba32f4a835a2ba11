// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/compose.hpp>
#include <statiq/graph/diagnosis.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/graph/shape_context.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace statiq::detail {

/// FNV-1a, from character `first` on, behind whose predecessors the hash is `hash`.
[[nodiscard]] constexpr std::uint32_t hash_of(const label& name, std::size_t first = 0,
                                              std::uint32_t hash = 0x811c9dc5) {
    for (std::size_t i = first; i < name.length; ++i)
        hash = (hash ^ static_cast<unsigned char>(name.text[i])) * 0x01000193U;
    return hash;
}

/// A name and its hash.
struct hashed_label {
    label text{};
    std::uint32_t hash = hash_of({});

    constexpr hashed_label() = default;
    constexpr explicit hashed_label(const label& name) : text(name), hash(hash_of(name)) {}
    /// A name that begins with another one.
    constexpr hashed_label(const label& name, const hashed_label& begun)
        : text(name), hash(hash_of(name, begun.text.length, begun.hash)) {}
};

/// What a part has from the parts around it.
struct inherited {
    layer_numbers numbers{};
    layer_defaults defaults{};
};

/// Walks a user's graph, appends nodes with inferred shapes and keeps the first defect.
template <std::size_t Size>
struct graph_builder {
    node_array<Size> nodes{};
    bias_rule bias_rules[Size]{};
    std::array<label, max_outputs> output_names{};
    int output_count = 0;
    int count = 0;
    finding first{};

    using three = std::array<std::int64_t, 3>;
    constexpr void report(defect what, label layer, const three& expected = {}, const three& got = {}) {
        if (first.what != defect::none) return;
        first.what = what;
        first.layer = layer;
        for (std::size_t i = 0; i < 3; ++i) {
            first.expected[i] = expected[i];
            first.got[i] = got[i];
        }
    }

    /// Names are found by their hash, or building a network of 500 layers would take more steps than compilers allow.
    /// A table holds indices of nodes plus one; 0: empty. Arrays here are the language's own: an index costs no call.
    static constexpr std::size_t buckets = std::bit_ceil(2 * Size);
    int named[buckets]{};  ///< nodes by their names
    int scopes[buckets]{}; ///< of each innermost scope, its first node
    label paths[Size]{};   ///< of each node, its innermost scope

    /// The last ordinal that was given because a node has the name already.
    struct ordinal {
        const operation_facts* facts = nullptr; ///< of the numbered node
        real_clamp clamp{};
        int last = 1;
    };
    ordinal ordinals[Size]{};

    /// The bucket that holds the name, or the empty one where it belongs.
    [[nodiscard]] constexpr std::size_t name_bucket(const hashed_label& name) const {
        std::size_t bucket = name.hash % buckets;
        while (named[bucket] != 0 && !(at(named[bucket] - 1).name == name.text)) bucket = (bucket + 1) % buckets;
        return bucket;
    }
    [[nodiscard]] constexpr std::size_t scope_bucket(const hashed_label& name) const {
        std::size_t bucket = name.hash % buckets;
        while (scopes[bucket] != 0 && !(paths[scopes[bucket] - 1] == name.text)) bucket = (bucket + 1) % buckets;
        return bucket;
    }
    [[nodiscard]] constexpr const node& at(int index) const { return nodes[static_cast<std::size_t>(index)]; }
    constexpr node& at(int index) { return nodes[static_cast<std::size_t>(index)]; }

    /// Gives a new node its name: see `named`. A taken name gets an ordinal.
    /// @return the bucket of `named` where the name belongs
    constexpr std::size_t give_name(node& n, const hashed_label& scope) {
        const label& path = scope.text;
        hashed_label wanted = scope;
        if (n.traits().normalizes) {
            // A norm in a scope of its own is named by that scope.
            const bool belongs = n.input() >= 0 && at(n.input()).is_linear() && at(n.input()).name.is_in(path);
            wanted = hashed_label((belongs ? at(n.input()).name : path) / label("bn"));
        } else if (!n.is_linear() || path.empty()) {
            wanted = hashed_label(path.empty() ? label{} + n.word() : path + "." + n.word());
        }
        n.name = wanted.text;
        std::size_t bucket = name_bucket(wanted);
        if (named[bucket] == 0) return bucket;
        const label numbered = n.is_linear() && !path.empty() ? path + "." + n.word() : wanted.text;
        const hashed_label begun(numbered + "_");
        ordinal& given = ordinals[named[bucket] - 1];
        if (given.facts != n.facts || given.clamp != n.clamp) given = {.facts = n.facts, .clamp = n.clamp};
        do {
            n.name = begun.text + ++given.last;
            bucket = name_bucket(hashed_label(n.name, begun));
        } while (named[bucket] != 0 && !n.name.full());
        return bucket;
    }

    /// @param bucket of the node's name
    constexpr int append(const node& n, bias_rule bias, const hashed_label& scope, std::size_t bucket) {
        if (n.name.full()) report(defect::label, n.name);
        bias_rules[static_cast<std::size_t>(count)] = bias;
        at(count) = n;
        named[bucket] = count + 1;
        paths[count] = scope.text;
        if (int& first_inside = scopes[scope_bucket(scope)]; first_inside == 0) first_inside = count + 1;
        return count++;
    }

    // ---- one function for each kind of part; each returns the index of the part's output node -----------------

    template <class Word, class... Options>
    constexpr int emit(const layer<Word, Options...>&, int from_node, const hashed_label& path,
                       const inherited& outer) {
        const layer_spec s = layer<Word, Options...>::spec.completed(outer.defaults);
        node n{.facts = s.facts, .epsilon = s.epsilon, .clamp = s.clamp, .numbers = outer.numbers};
        n.inputs[0] = from_node;
        const std::size_t bucket = give_name(n, path);
        if (n.is_source() == (from_node >= 0)) report(defect::input_first, n.name);
        if (from_node >= 0) {
            n.input_count = 1;
            n.in = at(from_node).out;
        }
        n.out = n.in;
        give_shape<typename Word::operation>(n, s, outer.defaults);
        return append(n, s.bias, path, bucket);
    }

    constexpr int emit(const chain<>&, int from_node, const hashed_label&, const inherited&) { return from_node; }
    template <int Rank, class Last, class... Front>
    constexpr int emit(const chain<run_of_parts<Rank, Last>, Front...>&, int from_node, const hashed_label& path,
                       const inherited& outer) {
        const int before = this->emit(chain<Front...>{}, from_node, path, outer);
        return this->emit(Last{}, before, path, outer);
    }
    template <class First, class Second>
    constexpr int emit(const pair_of_runs<First, Second>&, int from_node, const hashed_label& path,
                       const inherited& outer) {
        return this->emit(Second{}, this->emit(First{}, from_node, path, outer), path, outer);
    }

    template <class Op, class Branches, std::size_t Count>
    constexpr int emit(const joined_part<Op, Branches, Count>&, int from_node, const hashed_label& path,
                       const inherited& outer) {
        node n{.facts = &facts_of<Op>, .numbers = outer.numbers};
        int branches = 0;
        sequence::for_each(Branches{}, [&](const auto& branch) {
            const int end = this->emit(branch, from_node, path, outer);
            if (branches < max_inputs) n.inputs[static_cast<std::size_t>(branches)] = end;
            ++branches;
        });
        n.input_count = (std::min)(branches, max_inputs);
        const std::size_t bucket = give_name(n, path);
        if (from_node < 0) {
            report(defect::input_first, n.name);
            return append(n, bias_rule::never, path, bucket);
        }
        if (branches > max_inputs) report(defect::joined, n.name, {max_inputs}, {branches});
        n.in = n.out = at(n.input()).out;
        give_shape<Op>(n, layer_spec{}, outer.defaults);
        return append(n, bias_rule::never, path, bucket);
    }

    template <class Op>
    constexpr void give_shape(node& n, const layer_spec& spec, const layer_defaults& defaults) {
        extents inputs[max_inputs]{n.in};
        for (int k = 1; k < n.input_count; ++k) inputs[k] = at(n.inputs[static_cast<std::size_t>(k)]).out;
        shape_context context{n, spec, defaults, inputs, first};
        Op::shape(context);
        context.require_counted(product(n.out));
    }

    template <label Name, class Part>
    constexpr int emit(const scope<Name, Part>&, int from_node, const hashed_label& path, const inherited& outer) {
        const hashed_label inner(path.text / Name);
        if (!Name.empty() && (named[name_bucket(inner)] != 0 || scopes[scope_bucket(inner)] != 0))
            report(defect::label_twice, inner.text);
        return emit(Part{}, from_node, inner, outer);
    }

    template <layer_numbers Numbers, class Part>
    constexpr int emit(const with_numbers<Numbers, Part>&, int from_node, const hashed_label& path,
                       const inherited& outer) {
        inherited given{Numbers, outer.defaults}; // what the numbers leave open is as outside
        if (!given.numbers.chosen_activation) {
            given.numbers.chosen_activation = outer.numbers.chosen_activation;
            given.numbers.activation = outer.numbers.activation;
        }
        return emit(Part{}, from_node, path, given);
    }

    template <layer_defaults Defaults, class Part>
    constexpr int emit(const defaulted<Defaults, Part>&, int from_node, const hashed_label& path,
                       const inherited& outer) {
        return emit(Part{}, from_node, path, inherited{outer.numbers, Defaults});
    }

    constexpr int emit(const identity_part&, int from_node, const hashed_label&, const inherited&) { return from_node; }

    /// A label names a scope, and a scope's value is that of its last node so far; -1 where there is none.
    constexpr int last_in(const label& scope) {
        for (int i = count - 1; i >= 0; --i)
            if (at(i).name.is_in(scope)) return i;
        report(defect::reference, scope);
        return -1;
    }
    template <label Name>
    constexpr int emit(const reference_part<Name>&, int from_node, const hashed_label&, const inherited&) {
        const int index = last_in(Name);
        return index < 0 ? from_node : index;
    }

    template <label... Names>
    constexpr int emit(const outputs_part<Names...>&, int from_node, const hashed_label&, const inherited&) {
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
                ++(at(i).traits().normalizes
                       ? norms
                       : others)[static_cast<std::size_t>(at(i).inputs[static_cast<std::size_t>(k)])];
        for (std::size_t i = 0; i < Size; ++i)
            if (bias_rules[i] == bias_rule::unless_batch_norm_follows && norms[i] > 0 && others[i] == 0)
                nodes[i].has_bias = false;
    }
};

/// The operations that a part's layers compute, each once.
template <class Part>
struct operations_in {
    using type = operation_list<>;
};
template <class Word, class... Options>
struct operations_in<layer<Word, Options...>> {
    using type = operation_list<typename Word::operation>;
};
template <int Rank, class Last, class... Front>
struct operations_in<chain<run_of_parts<Rank, Last>, Front...>> {
    using type = operations_of_both<typename operations_in<chain<Front...>>::type, typename operations_in<Last>::type>;
};
template <class First, class Second>
struct operations_in<pair_of_runs<First, Second>> {
    using type = operations_of_both<typename operations_in<First>::type, typename operations_in<Second>::type>;
};
template <>
struct operations_in<sequence::list<>> {
    using type = operation_list<>;
};
template <class First, class... Others>
struct operations_in<sequence::list<First, Others...>> {
    using type = operations_of_both<typename operations_in<First>::type,
                                    typename operations_in<sequence::list<Others...>>::type>;
};
template <class Op, class Branches, std::size_t Count>
struct operations_in<joined_part<Op, Branches, Count>> {
    using type = operations_of_both<typename operations_in<Branches>::type, operation_list<Op>>;
};
template <label Name, class Part>
struct operations_in<scope<Name, Part>> : operations_in<Part> {};
template <layer_numbers Numbers, class Part>
struct operations_in<with_numbers<Numbers, Part>> : operations_in<Part> {};
template <layer_defaults Defaults, class Part>
struct operations_in<defaulted<Defaults, Part>> : operations_in<Part> {};

template <graph_part Body>
constexpr auto build_graph(const Body& body) {
    graph_builder<Body::size> builder;
    builder.finish(builder.emit(body, -1, hashed_label{}, inherited{}));
    return builder;
}

} // namespace statiq::detail
