// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/pool.hpp>
#include <statiq/simd/arch.hpp>

#ifndef STATIQ_NO_SIMD
#include <statiq/kernels/bytes/pool.hpp>
#endif

#include <type_traits>

namespace statiq::kernels {

/// Bits as `reference::max_pool`. Bytes run in vector registers; other types and constant evaluation in reference code.
template <class T, class Arch = simd::native_arch>
constexpr void max_pool(const reference::pool_arguments<T>& pool, [[maybe_unused]] Arch arch = {}) noexcept {
#ifndef STATIQ_NO_SIMD
    if constexpr (!std::is_same_v<Arch, simd::scalar> && sizeof(T) == 1) {
        if (!std::is_constant_evaluated()) return vectorized::max_pool<Arch>(pool);
    }
#endif
    reference::max_pool(pool);
}

/// Bits as `reference::average_pool`. Bytes run in vector registers; other types, windows of more than 4096 taps and
/// constant evaluation in reference code.
template <class T, class Arch = simd::native_arch>
constexpr void average_pool(const reference::pool_arguments<T>& pool, [[maybe_unused]] Arch arch = {}) noexcept {
#ifndef STATIQ_NO_SIMD
    if constexpr (!std::is_same_v<Arch, simd::scalar> && sizeof(T) == 1) {
        if (!std::is_constant_evaluated() && pool.over.taps() <= vectorized::most_averaged_taps)
            return vectorized::average_pool<Arch>(pool);
    }
#endif
    reference::average_pool(pool);
}

} // namespace statiq::kernels
