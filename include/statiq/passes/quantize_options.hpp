// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/number.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/fold_input.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>

namespace statiq {

// What is wrong with an option of `quantize`, as types.

/// `quantize` has no option of this type: there are number types, `for_layer<...>`, requantization schemes and
/// `byte_image<...>`.
template <class Option>
struct no_such_option : rejection {};
/// `quantize` takes two number types, the first for weights, the second for activations.
template <class Third>
struct third_number_type : rejection {};
/// A network has one requantization scheme: write one of the two.
template <class First, class Second>
struct two_schemes : rejection {};

/// The bytes of an image have one meaning: write one of the two.
template <class First, class Second>
struct two_byte_images : rejection {};

/// Refuses an option that `quantize` cannot use.
template <class Verdict>
struct check_option {
    static_assert(Verdict::accepted, "statiq: an option of quantize is for_layer<...> or a requantization scheme, "
                                     "beside the numbers of weights and of activations; each once");
    static constexpr bool passed = true;
};
template <class Verdict>
struct check_schemes {
    static_assert(Verdict::accepted, "statiq: a network has one requantization scheme");
    static constexpr bool passed = true;
};

namespace detail {

// Constants, because compilers explain a concept that fails at length.
template <class S>
inline constexpr bool is_meant_as_scheme = requires {
    typename S::factor;
};
template <class S>
inline constexpr bool is_scheme = requantization_scheme<S>;
template <class S>
inline constexpr bool has_regular_factor = std::regular<typename S::factor>;
template <class S>
inline constexpr bool has_own_identifier = is_library_scheme<S> || S::identifier >= first_own_scheme;

/// Refuses what is meant as a requantization scheme and is none, with what it lacks.
template <class S>
constexpr bool check_scheme() {
    if constexpr (is_meant_as_scheme<S> && !is_scheme<S>) {
        constexpr bool regular = has_regular_factor<S>;
        constexpr bool own = has_own_identifier<S>;
        static_assert(regular, "statiq: a scheme's factor is copied, and compared by ==");
        static_assert(own, "statiq: a scheme of your own has an identifier of first_own_scheme or more");
        static_assert(!regular || !own, "statiq: this option of quantize lacks a function of requantization_scheme");
    }
    return true;
}

/// The option at a place; void behind the last.
template <std::size_t Place, class... Options>
using option_at = std::tuple_element_t<(std::min)(Place, sizeof...(Options)), std::tuple<Options..., void>>;

/// The place of the option, counted from 0, that is number `wanted` among those that are marked; behind the last where
/// there are fewer.
template <std::size_t Size>
constexpr std::size_t place_of(const bool (&marked)[Size], std::size_t wanted) {
    std::size_t place = 0;
    while (place + 1 < Size && (!marked[place] || wanted-- > 0)) ++place;
    return place;
}

/// The layer that an option is for; none has an empty name.
template <class Option>
constexpr label layer_named_by() {
    if constexpr (number_override<Option>)
        return Option::value.layer;
    else
        return {};
}

/// The place of the first label that an earlier one is equal to, empty ones aside; the last where there is none.
template <std::size_t Size>
constexpr std::size_t repeated_place(const label (&labels)[Size]) {
    for (std::size_t i = 0; i + 1 < Size; ++i)
        for (std::size_t k = 0; k < i; ++k)
            if (!labels[i].empty() && labels[i] == labels[k]) return i;
    return Size - 1;
}

/// Options of `quantize` are told apart by the concepts that they satisfy.
template <class... Options>
struct quantize_options {
    // A mark for each, and one more, or an array might be empty.
    static constexpr bool numbers[]{number_type<Options>..., false};
    static constexpr bool schemes[]{is_meant_as_scheme<Options>..., false};
    static constexpr bool byte_images[]{meaning_of_bytes<Options>..., false};
    static constexpr bool strangers[]{!(number_type<Options> || is_meant_as_scheme<Options> ||
                                        number_override<Options> || meaning_of_bytes<Options>)...,
                                      false};

    static constexpr label layers[]{layer_named_by<Options>()..., label{}};
    static constexpr std::size_t second_override = repeated_place(layers);

    using weight = option_at<place_of(numbers, 0), Options...>;
    using activation = option_at<place_of(numbers, 1), Options...>;
    using third_number = option_at<place_of(numbers, 2), Options...>;
    using given_scheme = option_at<place_of(schemes, 0), Options...>;
    using second_scheme = option_at<place_of(schemes, 1), Options...>;
    /// What the input's bytes stand for; void: the input is none.
    using bytes = option_at<place_of(byte_images, 0), Options...>;
    using second_bytes = option_at<place_of(byte_images, 1), Options...>;
    using stranger = option_at<place_of(strangers, 0), Options...>;

    using scheme = std::conditional_t<is_scheme<given_scheme>, given_scheme, default_scheme>;

    static constexpr auto verdict() {
        if constexpr (!std::is_void_v<stranger>)
            return no_such_option<stranger>{};
        else if constexpr (!std::is_void_v<third_number>)
            return third_number_type<third_number>{};
        else if constexpr (!std::is_void_v<second_bytes>)
            return two_byte_images<bytes, second_bytes>{};
        else if constexpr (second_override < sizeof...(Options))
            return numbers_given_twice<typename option_at<second_override, Options...>::name>{};
        else
            return sound{};
    }
    static constexpr auto scheme_verdict() {
        if constexpr (std::is_void_v<second_scheme>)
            return sound{};
        else
            return two_schemes<given_scheme, second_scheme>{};
    }
    static constexpr bool names_both = !std::is_void_v<activation>;
    static constexpr bool accepted =
        names_both && (std::is_void_v<given_scheme> || is_scheme<given_scheme>)&&decltype(verdict())::accepted &&
        decltype(scheme_verdict())::accepted;
};

/// `numbers_chosen` with those of the options that are overrides.
template <graph_type G, class Weight, class Activation, class Overrides, class... Options>
struct numbers_of_options;
template <graph_type G, class Weight, class Activation, class... Overrides>
struct numbers_of_options<G, Weight, Activation, std::tuple<Overrides...>> {
    using type = numbers_chosen<G, Weight, Activation, Weight, Overrides...>;
};
template <graph_type G, class Weight, class Activation, class... Overrides, class First, class... Rest>
struct numbers_of_options<G, Weight, Activation, std::tuple<Overrides...>, First, Rest...>
    : numbers_of_options<G, Weight, Activation, std::tuple<Overrides...>, Rest...> {};
template <graph_type G, class Weight, class Activation, class... Overrides, number_override First, class... Rest>
struct numbers_of_options<G, Weight, Activation, std::tuple<Overrides...>, First, Rest...>
    : numbers_of_options<G, Weight, Activation, std::tuple<Overrides..., First>, Rest...> {};

} // namespace detail

} // namespace statiq
