// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/number.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/passes/choose_numbers.hpp>

#include <concepts>
#include <type_traits>

namespace statiq::detail {

/// What the options of `quantize` say together. @tparam Scheme void where none was given.
template <class Scheme, number_override... Overrides>
struct options_read {
    using scheme = std::conditional_t<std::is_void_v<Scheme>, default_scheme, Scheme>;
    template <graph_type G, number_type Weight, number_type Activation>
    using numbers = numbers_chosen<G, Weight, Activation, Weight, Overrides...>;
};

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

/// Reads the options of `quantize`, one after another, each by the concept it satisfies:
/// `read_options<options_read<void>, Options...>::type`.
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
    static_assert(is_meant_as_scheme<First>,
                  "statiq: an option of quantize is for_layer<...> or a requantization scheme");
    static_assert(check_scheme<First>());
    static_assert(std::is_void_v<Scheme>, "statiq: a network has one requantization scheme");
};

} // namespace statiq::detail
