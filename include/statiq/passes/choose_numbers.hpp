// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/diagnosis.hpp>
#include <statiq/numeric/interval.hpp>
#include <statiq/numeric/number.hpp>
#include <statiq/operations/convert.hpp>
#include <statiq/passes/rewrite.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace statiq {

// Why a layer cannot be computed in its numbers, as types: each names the layer, and says what to do.

/// Quantize the deployed network: `deploy(trained)` folds batch norms, and no other execution than float knows them.
template <class Layer>
struct not_deployed : rejection {};
/// Activations are `per_tensor`.
template <class Layer>
struct one_scale_per_activation : rejection {};
/// A layer with integer activations, here of `ActivationBits` bits, needs integer weights. `with<float32>(...)` makes
/// it float.
template <class Layer, int ActivationBits>
struct integer_weights_needed : rejection {};
/// The weights of an integer layer are `per_tensor` or `per_channel`: one sum has one scale. Groups are for weights
/// alone (`weight_only_network`).
template <class Layer, int Group>
struct no_weight_groups_in_integers : rejection {};
/// The output of a softmax is `quantized<8, asymmetric>` or `quantized<8, asymmetric_signed>`. Here it has `Bits` bits.
template <class Layer, int Bits>
struct softmax_needs_8_bits_and_a_zero_point : rejection {};
/// `table_softmax` reads at most 8 bits, and its input has `Bits`. `softmax` reads up to 16.
template <class Layer, int Bits>
struct table_softmax_needs_8_bit_inputs : rejection {};
/// A format whose range its bits cannot store, or a float of other than 32 bits: weight and activation bits.
template <class Layer, int WeightBits, int ActivationBits>
struct no_such_format : rejection {};
/// A layer whose sum of products may leave int32: the layer, the bits the sum needs, the bits there are.
template <class Layer, int Needed, int Available>
struct accumulator_overflow : rejection {};

/// Numbers for a layer that the deployed graph does not have.
template <class Layer>
struct no_layer_of_this_name : rejection {};

/// Two `for_layer<...>` for one layer: write one of them.
template <class Layer>
struct numbers_given_twice : rejection {};

/// Refuses a choice of numbers with the first layer it does not work for.
template <class Verdict>
struct check_numbers {
    static constexpr bool passed = true;
    static_assert(Verdict::accepted, "statiq: these numbers do not work for a layer; the type says which, and why");
};

/// The numbers of layers that `with<...>` gave none, as values: what `numbers_chosen` is given as types.
struct number_choice {
    number_format weight{};
    number_format activation{};
    number_format dense_weight{}; ///< the weights of dense layers
};

/// One layer's own numbers, as a value. The layer's name is that of a node of the deployed graph.
struct layer_override {
    label layer{};
    layer_numbers numbers{};
};

/// One layer's own numbers, as a type: `for_layer<"dw1", weight16>`, or `for_layer<"fc", weight16, activation16>`.
template <label Layer, number_type Weight, number_type... Activation>
struct for_layer {
    using name = detail::spelt<Layer>;
    static constexpr layer_override value = [] {
        layer_override chosen{.layer = Layer, .numbers = {.chosen_weight = true, .weight = Weight::format}};
        ((chosen.numbers.chosen_activation = true, chosen.numbers.activation = Activation::format), ...);
        return chosen;
    }();
    static_assert(sizeof...(Activation) <= 1, "statiq: a layer has one weight and one activation format");
    static_assert(detail::check_number_type<Weight>::passed);
    static_assert((detail::check_number_type<Activation>::passed && ...));
};

/// Satisfied by `for_layer<...>`.
template <class T>
concept number_override = requires {
    typename T::name;
    { T::value } -> std::convertible_to<layer_override>;
};

namespace detail {

/// Gives the named nodes the numbers of their overrides.
template <class Nodes>
constexpr Nodes with_overrides(Nodes nodes, std::span<const layer_override> overrides) {
    for (const layer_override& o : overrides)
        for (node& n : nodes) {
            if (n.name != o.layer) continue;
            if (o.numbers.chosen_weight) {
                n.numbers.chosen_weight = true;
                n.numbers.weight = o.numbers.weight;
            }
            if (o.numbers.chosen_activation) {
                n.numbers.chosen_activation = true;
                n.numbers.activation = o.numbers.activation;
            }
        }
    return nodes;
}

/// Gives every node its formats and puts a conversion on each edge between float and integer layers.
struct numbers_chooser {
    number_choice choice{};

    /// @param out an empty rewriting with room for twice the nodes
    template <class Nodes, class Rewriting>
    constexpr void run(const Nodes& nodes, Rewriting& out) const {
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            node n = nodes[i];
            layer_numbers& numbers = n.numbers;
            if (!numbers.chosen_weight) numbers.weight = n.is_dense() ? choice.dense_weight : choice.weight;
            if (!numbers.chosen_activation) numbers.activation = choice.activation;
            if (n.traits().keeps_numbers) numbers.activation = out.at(moved(out, n.input())).numbers.activation;
            const bool floating = numbers.activation.floating;
            out.redirect(n);
            for (int k = 0; k < n.input_count; ++k) {
                int& input = n.inputs[static_cast<std::size_t>(k)];
                const number_format& given = out.at(input).numbers.activation;
                const bool joins = n.traits().joins;
                const bool crosses = given.floating != floating && !n.traits().converts;
                if (crosses || (joins && !stored_alike(given, numbers.activation)))
                    input = converted(out, input, numbers);
            }
            numbers.chosen_weight = numbers.chosen_activation = true;
            out.moved[i] = out.append(n, static_cast<int>(i));
        }
    }

  private:
    /// The tensors of a join are of one C++ type.
    static constexpr bool stored_alike(const number_format& a, const number_format& b) {
        return a.bytes() == b.bytes() && a.is_signed() == b.is_signed();
    }

    template <class Rewriting>
    static constexpr int moved(const Rewriting& out, int old) {
        return out.moved[static_cast<std::size_t>(old)];
    }

    /// A tensor in the wanted format: an earlier conversion of it, or a new one.
    template <class Rewriting>
    static constexpr int converted(Rewriting& out, int input, const layer_numbers& wanted) {
        number_format format = wanted.activation;
        if (!format.floating) format.per = granularity::tensor;
        for (int i = input + 1; i < out.count; ++i)
            if (out.at(i).traits().converts && out.at(i).input() == input && out.at(i).numbers.activation == format)
                return i;
        const node& from = out.at(input);
        node n{.facts = &facts_of<operations::convert>, .input_count = 1, .in = from.out, .out = from.out};
        n.inputs[0] = input;
        n.numbers.activation = format;
        n.name = from.name / (format.floating                    ? label("dequantized")
                              : from.numbers.activation.floating ? label("quantized")
                                                                 : label("requantized"));
        return out.append(n, out.origin[static_cast<std::size_t>(input)]);
    }
};

template <number_format Weight, number_format Activation, number_format DenseWeight, number_override... Overrides>
struct choose_numbers_pass {
    using adds = operation_list<operations::convert>;

    template <std::size_t Size>
    static constexpr auto run(const node_array<Size>& nodes) {
        constexpr std::array<layer_override, sizeof...(Overrides)> overrides{Overrides::value...};
        rewriting<2 * Size> out;
        numbers_chooser{{Weight, Activation, DenseWeight}}.run(with_overrides(nodes, overrides), out);
        return out;
    }
};

/// Every value that an integer node's sums can take, whatever the data and the zero points.
constexpr interval sums_of(const node& n, const number_format& input) { return n.facts->sums(n, input); }

constexpr number_defect find_number_defect(const node& n, const number_format& input) {
    const number_format& weight = n.numbers.weight;
    const number_format& activation = n.numbers.activation;
    if (n.traits().normalizes) return number_defect::batch_norm;
    if (!is_sound(activation) || (n.is_linear() && !is_sound(weight))) return number_defect::format;
    if (activation.per != granularity::tensor) return number_defect::activation_scales;
    // Integer weights under float sums are fine (weight_only_network), float weights under integer sums are not.
    if (n.is_linear() && weight.floating && !activation.floating) return number_defect::float_weights;
    if (activation.floating && !n.facts->has_reals) return number_defect::no_reals;
    if (activation.floating || n.is_source()) return number_defect::none;
    if (!n.facts->has_integers) return number_defect::no_integers;
    if (n.facts->sums == nullptr) return number_defect::no_proof;
    if (n.facts->find_defect != nullptr)
        if (const number_defect found = n.facts->find_defect(n, input); found != number_defect::none) return found;
    if (n.is_linear() && weight.per == granularity::group) return number_defect::weight_groups;
    return sums_of(n, input).fits_int32() ? number_defect::none : number_defect::overflow;
}

/// A layer whose weights alone are integers.
constexpr bool is_weight_only(const node& n) {
    return n.is_linear() && n.numbers.activation.floating && !n.numbers.weight.floating;
}
template <graph_type G>
constexpr bool has_weight_only_layers() {
    for (const node& n : G::nodes)
        if (is_weight_only(n)) return true;
    return false;
}

/// What a node reads; an input reads what it is.
template <class Nodes>
constexpr const number_format& input_format(const Nodes& nodes, const node& n) {
    return (n.is_source() ? n : nodes[static_cast<std::size_t>(n.input())]).numbers.activation;
}

template <class Nodes>
constexpr int first_number_defect(const Nodes& nodes) {
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (find_number_defect(nodes[i], input_format(nodes, nodes[i])) != number_defect::none)
            return static_cast<int>(i);
    return -1;
}

template <graph_type G>
constexpr auto numbers_verdict() {
    constexpr int first = first_number_defect(G::nodes);
    if constexpr (first < 0) {
        return sound{};
    } else {
        constexpr node n = G::nodes[static_cast<std::size_t>(first)];
        constexpr number_format input = input_format(G::nodes, n);
        constexpr number_defect why = find_number_defect(n, input);
        constexpr int bits = n.numbers.activation.bits;
        using layer = spelt<n.name>;
        if constexpr (why == number_defect::batch_norm)
            return not_deployed<layer>{};
        else if constexpr (why == number_defect::activation_scales)
            return one_scale_per_activation<layer>{};
        else if constexpr (why == number_defect::float_weights)
            return integer_weights_needed<layer, bits>{};
        else if constexpr (why == number_defect::weight_groups)
            return no_weight_groups_in_integers<layer, n.numbers.weight.group>{};
        else if constexpr (why == number_defect::softmax_format)
            return softmax_needs_8_bits_and_a_zero_point<layer, bits>{};
        else if constexpr (why == number_defect::table_softmax_inputs)
            return table_softmax_needs_8_bit_inputs<layer, input.bits>{};
        else if constexpr (why == number_defect::no_integers)
            return operation_lacks<layer, definition_in_integers>{};
        else if constexpr (why == number_defect::no_reals)
            return operation_lacks<layer, definition_in_reals>{};
        else if constexpr (why == number_defect::no_proof)
            return operation_lacks<layer, proof_of_its_sums>{};
        else if constexpr (why == number_defect::format)
            return no_such_format<layer, n.numbers.weight.bits, bits>{};
        else
            return accumulator_overflow<layer, sums_of(n, input).bits_needed(), 32>{};
    }
}

/// @tparam Overrides all of them, this one included
template <graph_type G, number_override Override, number_override... Overrides>
constexpr auto override_verdict() {
    if constexpr (find_node<G>(Override::value.layer.view()) < 0)
        return no_layer_of_this_name<typename Override::name>{};
    else if constexpr ((int{Overrides::value.layer == Override::value.layer} + ...) > 1)
        return numbers_given_twice<typename Override::name>{};
    else
        return sound{};
}

/// The graph that `numbers_chosen` stands for.
template <graph_type G, number_type Weight, number_type Activation, number_type DenseWeight,
          number_override... Overrides>
struct with_numbers_chosen
    : rewritten<choose_numbers_pass<Weight::format, Activation::format, DenseWeight::format, Overrides...>, G> {
    static_assert(check_number_type<Weight>::passed && check_number_type<Activation>::passed &&
                  check_number_type<DenseWeight>::passed);
};

/// Refuses numbers where they are written down, before a concept asks for the graph: fewer lines of explanation.
template <graph_type G, class Chosen, number_override... Overrides>
struct numbers_checked {
    using type = Chosen;
    static_assert((check_numbers<decltype(override_verdict<G, Overrides, Overrides...>())>::passed && ...));
    static_assert(check_numbers<decltype(numbers_verdict<Chosen>())>::passed);
};

} // namespace detail

/// A deployed graph with a number format at every weight and every activation. Layers keep the formats `with<...>`
/// gave them; all others take `Weight` and `Activation`. Where float and integer layers meet, or integers of
/// different storage are joined, a conversion stands between. Pools, flatten and a standalone activation keep their
/// input's integers, scale and zero point.
///
/// With float activations and integer weights the integers are stored and the sums are float: `weight_only_network`.
///
/// Refused, with the layer in the message: a batch norm that has not been folded (`not_deployed<layer>`), activations
/// of other than one scale, float weights in integer layers, grouped weight scales there, a softmax of other than 8
/// bits, and sums that could leave int32 for some data (`accumulator_overflow<layer, needed, available>`): the proof
/// covers every input, weight and zero point.
/// @tparam DenseWeight the weights of dense layers, where they differ: TensorFlow Lite has one scale a dense layer.
/// @tparam Overrides `for_layer<"name", Weight[, Activation]>`: single layers' own numbers, over those of `with<...>`.
template <graph_type G, number_type Weight, number_type Activation, number_type DenseWeight = Weight,
          number_override... Overrides>
using numbers_chosen =
    typename detail::numbers_checked<G, detail::with_numbers_chosen<G, Weight, Activation, DenseWeight, Overrides...>,
                                     Overrides...>::type;

} // namespace statiq
