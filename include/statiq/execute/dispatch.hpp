// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <cstddef>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

/// One program for several instruction sets: `statiq_add_dispatched_library` (docs/building.md) compiles the same
/// sources once for each and lists the variants, and the program takes the best one its processor runs. A source says
/// what a variant offers, as a constant table of functions:
///
/// <!-- with: classifier_table -->
/// ```cpp
/// constexpr classifier table{.classify = classify};
/// STATIQ_VARIANT_TABLE(table)
/// ```
#define STATIQ_VARIANT_TABLE(table)                                                                                    \
    extern "C" const void* STATIQ_VARIANT() noexcept;                                                                  \
    const void* STATIQ_VARIANT() noexcept { return &(table); }

namespace statiq {

/// The sources, compiled for one instruction set.
struct variant {
    const char* instruction_set;
    bool (*is_supported)() noexcept; ///< by this processor and system
    const void* (*table)() noexcept; ///< not to be called where it is not supported
};

/// The variants of a library, in the order in which they are preferred.
struct variant_list {
    const variant* first;
    std::size_t count;
};

/// The table of the first variant that this machine runs; null if it runs none.
/// @tparam Table the type of the table in the sources.
template <class Table>
[[nodiscard]] const Table* best_variant(const variant_list& variants) noexcept {
    for (std::size_t i = 0; i < variants.count; ++i)
        if (variants.first[i].is_supported()) return static_cast<const Table*>(variants.first[i].table());
    return nullptr;
}

#if defined(__x86_64__)

/// Whether this machine runs what `statiq_add_dispatched_library` compiles for an instruction set of that name.
namespace supports {

inline bool sse2() noexcept { return true; }
inline bool sse4_1() noexcept { return __builtin_cpu_supports("sse4.1") != 0; }
inline bool avx2() noexcept { return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0; }
inline bool avx_vnni() noexcept {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 4 & 1U) != 0;
}
inline bool avx512() noexcept {
    return avx2() && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512cd") != 0 &&
           __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512vl") != 0;
}
inline bool avx512_vnni() noexcept { return avx512() && __builtin_cpu_supports("avx512vnni") != 0; }

} // namespace supports

#endif

} // namespace statiq
