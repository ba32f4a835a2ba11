// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/compiled/entries.hpp>

#include <tuple>
#include <type_traits>

/// The tables of the library for the best instruction set that this processor has: `compiled::library::tables`. The
/// name carries the version of the list of entries.
extern "C" const void* statiq_compiled_kernels_1() noexcept;

namespace statiq::kernels::compiled {

/// The entry that serves a kernel.
template <class Kernel, class... Arguments>
struct serving {
    using type = entry<Kernel, Arguments...>;
};
/// The library's convolutions have all loop nests. Fewer sums of two products than fit 16 bits are exact, too: the
/// entry with the largest number that is not above PairSums serves.
template <int PairSums, nest_set Nests, class... Arguments>
struct serving<convolution_kernel<PairSums, Nests>, Arguments...> {
    using wanted = entry<convolution_kernel<PairSums, nest_set::all()>, Arguments...>;
    static constexpr bool is_last = library::has<wanted> || PairSums == 0;
    using type = typename std::conditional_t<is_last, std::type_identity<wanted>,
                                             serving<convolution_kernel<PairSums / 2, Nests>, Arguments...>>::type;
};

/// The library's code of an entry that it has.
template <class Entry>
[[nodiscard]] typename Entry::function function_of() noexcept {
    const auto& tables = *static_cast<const library::tables*>(statiq_compiled_kernels_1());
    const slot<Entry>& found = *std::get<library::place_of<Entry>()>(tables);
    return found.function;
}

} // namespace statiq::kernels::compiled
