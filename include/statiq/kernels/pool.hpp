// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/pool.hpp>
#include <statiq/kernels/vector_kernel.hpp>
#include <statiq/simd/arch.hpp>

#ifndef STATIQ_NO_SIMD
#include <statiq/kernels/bytes/pool.hpp>
#endif

#include <type_traits>

namespace statiq::kernels {

#ifndef STATIQ_NO_SIMD
struct max_pool_kernel {
    template <class Arch, class Arguments>
    static bool run(const Arguments& of) noexcept {
        vectorized::max_pool<Arch>(of);
        return true;
    }
};
#endif

#ifndef STATIQ_NO_SIMD
struct average_pool_kernel {
    template <class Arch, class Arguments>
    static bool run(const Arguments& of) noexcept {
        if (of.over.taps() > vectorized::most_averaged_taps) return false;
        vectorized::average_pool<Arch>(of);
        return true;
    }
};
#endif

/// Bits as `reference::max_pool`. Bytes run in vector registers; other types and constant evaluation in reference code.
template <class T, class Arch = simd::native_arch>
constexpr void max_pool(const reference::pool_arguments<T>& pool, [[maybe_unused]] Arch arch = {}) noexcept {
    if constexpr (sizeof(T) == 1)
        if (!std::is_constant_evaluated() && run_vectors<max_pool_kernel, Arch>(pool)) return;
    reference::max_pool(pool);
}

/// Bits as `reference::average_pool`. Bytes run in vector registers; other types, windows of more than 4096 taps and
/// constant evaluation in reference code.
template <class T, class Arch = simd::native_arch>
constexpr void average_pool(const reference::pool_arguments<T>& pool, [[maybe_unused]] Arch arch = {}) noexcept {
    if constexpr (sizeof(T) == 1)
        if (!std::is_constant_evaluated() && run_vectors<average_pool_kernel, Arch>(pool)) return;
    reference::average_pool(pool);
}

} // namespace statiq::kernels
