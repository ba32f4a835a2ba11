// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/number.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/passes/choose_numbers.hpp>

#include <type_traits>

namespace statiq::detail {

/// What the options of `quantize` say together. @tparam Scheme void where none was given.
template <class Scheme, number_override... Overrides>
struct options_read {
    using scheme = std::conditional_t<std::is_void_v<Scheme>, default_scheme, Scheme>;
    template <graph_type G, number_type Weight, number_type Activation>
    using numbers = numbers_chosen<G, Weight, Activation, Weight, Overrides...>;
};

/// Of a type that is meant to be one, the compiler says what it lacks.
template <class S>
inline constexpr bool is_scheme = true;
template <class S>
requires requires { typename S::factor; }
inline constexpr bool is_scheme<S> = [] {
    static_assert(requantization_scheme<S>, "statiq: this option of quantize lacks something of requantization_scheme");
    return true;
}();

/// Reads options one after another, each by the concept it satisfies.
template <class Read, class... Options>
struct read_options {
    using type = Read;
};
template <class Scheme, class... Overrides, number_override First, class... Rest>
struct read_options<options_read<Scheme, Overrides...>, First, Rest...>
    : read_options<options_read<Scheme, Overrides..., First>, Rest...> {};
template <class Scheme, class... Overrides, class First, class... Rest>
struct read_options<options_read<Scheme, Overrides...>, First, Rest...>
    : read_options<options_read<std::conditional_t<requantization_scheme<First>, First, void>, Overrides...>, Rest...> {
    static_assert(
        requires { typename First::factor; },
        "statiq: an option of quantize is for_layer<...> or a requantization scheme");
    static_assert(is_scheme<First>);
    static_assert(std::is_void_v<Scheme>, "statiq: a network has one requantization scheme");
};

template <class... Options>
using quantize_options = typename read_options<options_read<void>, Options...>::type;

} // namespace statiq::detail
