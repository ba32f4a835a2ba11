// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/label.hpp>
#include <statiq/tensor/extents.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace statiq {

/// The first thing that does not fit in a graph, as found by shape inference.
enum class defect : unsigned char {
    none,
    channels,    ///< joined branches differ in channels
    extents,     ///< joined branches differ in height or width
    groups,      ///< groups do not divide the channels
    window,      ///< a window is larger than the padded image
    padding,     ///< a pool's padding is so wide that a window may hold padding only
    flat,        ///< a dense layer or softmax on an unflattened image
    input_first, ///< an input in the middle of a graph, or none at its start
    size,        ///< a reshape to another number of values
    broadcast,   ///< along an axis that is neither 1 nor the wanted extent
    reference,   ///< `from<label>` names no earlier layer
    output,      ///< a graph ends with `from<label>`: its value is not that of its last layer
    outputs,     ///< a layer is named as an output twice, or there are too many outputs
    joined,      ///< more branches than a join takes
    label,       ///< a full layer name longer than a label holds
    label_twice, ///< a label that an earlier layer or scope has
    count,       ///< more values, weights or rows than an int counts
    average      ///< an average pool with padding where averages count the padding
};

struct finding {
    defect what = defect::none;
    label layer{};
    std::int64_t expected[3]{};
    std::int64_t got[3]{};
};

/// A layer's name spelt so that every compiler prints it.
template <char... Name>
struct layer_name {};

// The types a rejected graph is reported by: each names the layer, what its neighbours demand and what it got.
// They are declared as failures, and mean nothing else.
struct rejection {
    static constexpr bool accepted = false;
};
struct sound {
    static constexpr bool accepted = true;
};
template <class Layer, int Expected, int Got>
struct channel_mismatch : rejection {};
template <class Layer, int ExpectedHeight, int ExpectedWidth, int GotHeight, int GotWidth>
struct extent_mismatch : rejection {};
template <class Layer, std::int64_t InChannels, std::int64_t OutChannels, std::int64_t Groups>
struct group_mismatch : rejection {};
template <class Layer, int WindowHeight, int WindowWidth, int PaddedHeight, int PaddedWidth>
struct window_exceeds_image : rejection {};
template <class Layer, int PaddedVertically, int PaddedHorizontally, int WindowHeight, int WindowWidth>
struct padding_exceeds_pool : rejection {};
template <class Layer, int Height, int Width, int Channels>
struct flatten_needed_before : rejection {};
template <class Layer, std::int64_t Values, std::int64_t InNewShape>
struct reshape_mismatch : rejection {};
template <class Layer, int FromHeight, int FromWidth, int FromChannels, int Height, int Width, int Channels>
struct broadcast_mismatch : rejection {};
template <class Layer>
struct misplaced_input : rejection {};
template <class Layer>
struct unknown_label : rejection {};
template <class Layer>
struct output_is_an_earlier_layer : rejection {};
template <class Layer, int Most, int Got>
struct repeated_output : rejection {};
template <class Layer, int Most, int Got>
struct too_many_branches : rejection {};
template <class Layer>
struct label_too_long : rejection {};
template <class Layer>
struct label_given_twice : rejection {};
template <class Layer, std::int64_t Needed, std::int64_t Most>
struct count_exceeds_int : rejection {};
/// `pad<...> | average_pool` counts the padding; within `with_defaults<tensorflow>(...)` the pool leaves it out.
template <class Layer>
struct pad_before_average_pool : rejection {};

/// An operation is used in a way for which it has no definition: docs/extending.md says how to write one.
template <class Layer, class What>
struct operation_lacks : rejection {};
struct proof_of_its_sums {};                ///< `sums`
struct definition_in_reals {};              ///< `reals`
struct definition_in_integers {};           ///< `integers`
struct definition_of_gradient {};           ///< `gradient`
struct definition_of_parameter_gradient {}; ///< `parameter_gradient`

namespace detail {

template <label Name, std::size_t... I>
auto spell(std::index_sequence<I...>) -> layer_name<Name.text[I]...>;
template <label Name>
using spelt = decltype(spell<Name>(std::make_index_sequence<Name.size()>{}));

template <finding F>
constexpr auto verdict_of() {
    using layer = spelt<F.layer>;
    if constexpr (F.what == defect::none)
        return sound{};
    else if constexpr (F.what == defect::channels)
        return channel_mismatch<layer, F.expected[0], F.got[0]>{};
    else if constexpr (F.what == defect::extents)
        return extent_mismatch<layer, F.expected[0], F.expected[1], F.got[0], F.got[1]>{};
    else if constexpr (F.what == defect::groups)
        return group_mismatch<layer, F.got[0], F.got[1], F.expected[0]>{};
    else if constexpr (F.what == defect::window)
        return window_exceeds_image<layer, F.got[0], F.got[1], F.expected[0], F.expected[1]>{};
    else if constexpr (F.what == defect::padding)
        return padding_exceeds_pool<layer, F.expected[0], F.expected[1], F.got[0], F.got[1]>{};
    else if constexpr (F.what == defect::flat)
        return flatten_needed_before<layer, F.got[0], F.got[1], F.got[2]>{};
    else if constexpr (F.what == defect::size)
        return reshape_mismatch<layer, F.expected[0], F.got[0]>{};
    else if constexpr (F.what == defect::broadcast)
        return broadcast_mismatch<layer, F.got[0], F.got[1], F.got[2], F.expected[0], F.expected[1], F.expected[2]>{};
    else if constexpr (F.what == defect::input_first)
        return misplaced_input<layer>{};
    else if constexpr (F.what == defect::reference)
        return unknown_label<layer>{};
    else if constexpr (F.what == defect::output)
        return output_is_an_earlier_layer<layer>{};
    else if constexpr (F.what == defect::outputs)
        return repeated_output<layer, F.expected[0], F.got[0]>{};
    else if constexpr (F.what == defect::joined)
        return too_many_branches<layer, F.expected[0], F.got[0]>{};
    else if constexpr (F.what == defect::label_twice)
        return label_given_twice<layer>{};
    else if constexpr (F.what == defect::count)
        return count_exceeds_int<layer, F.got[0], F.expected[0]>{};
    else if constexpr (F.what == defect::average)
        return pad_before_average_pool<layer>{};
    else
        return label_too_long<layer>{};
}

} // namespace detail

/// Refuses a graph with its first defect spelt out as a type.
template <class Verdict>
struct check_graph {
    static_assert(Verdict::accepted, "statiq: the layers do not fit together; the type says which, and the numbers");
    static constexpr bool passed = true;
};

} // namespace statiq
