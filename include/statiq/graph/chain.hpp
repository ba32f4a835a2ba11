// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <cstddef>

namespace statiq {

/// What a graph is composed of: a part of `Size` nodes. (A member of a part would be a variable whose name spells the
/// whole part out, and compilers keep such names.)
template <std::size_t Size>
struct part_of_size {
    static constexpr std::size_t size = Size;
};

/// Two runs of parts of the same length, one after the other.
template <class First, class Second>
struct pair_of_runs : part_of_size<First::size + Second::size> {};

/// A run of 2^Rank parts.
template <int Rank, class Part>
struct run_of_parts {};

/// Parts one after another; what `a | b` makes. The runs stand in reverse order, and their ranks grow like the digits
/// of a binary counter: appending a part merges runs of equal rank. So N parts cost N small types, none nested deeper
/// than log2 N, where a list that is copied at each `|` costs N^2.
template <class... Runs>
struct chain;

template <>
struct chain<> : part_of_size<0> {};

template <int Rank, class Part, class... Front>
struct chain<run_of_parts<Rank, Part>, Front...> : part_of_size<Part::size + chain<Front...>::size> {};

namespace detail {

template <class Chain, class Run>
struct append_run;
template <class... Front, class Run>
struct append_run<chain<Front...>, Run> {
    using type = chain<Run, Front...>;
};
template <int Rank, class Last, class... Front, class Part>
struct append_run<chain<run_of_parts<Rank, Last>, Front...>, run_of_parts<Rank, Part>>
    : append_run<chain<Front...>, run_of_parts<Rank + 1, pair_of_runs<Last, Part>>> {};

template <class Part>
struct as_chain {
    using type = chain<run_of_parts<0, Part>>;
};
template <class... Runs>
struct as_chain<chain<Runs...>> {
    using type = chain<Runs...>;
};

/// First `Front`, then `Back`. A chain at the back stays one part.
template <class Front, class Back>
using joined_chain = typename append_run<typename as_chain<Front>::type, run_of_parts<0, Back>>::type;

} // namespace detail

} // namespace statiq
