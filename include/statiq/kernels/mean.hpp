// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/mean.hpp>
#include <statiq/simd/arch.hpp>

#ifndef STATIQ_NO_SIMD
#include <statiq/kernels/bytes/mean.hpp>
#endif

#include <type_traits>

namespace statiq::kernels {

/// The mean over all pixels. Bits as `reference::mean`. Bytes run in vector registers; other types and constant
/// evaluation in reference code.
template <class Scheme, class In, class Out, class Arch = simd::native_arch>
constexpr void mean(const reference::mean_arguments<In, Out, Scheme>& of, [[maybe_unused]] Arch arch = {}) noexcept {
#ifndef STATIQ_NO_SIMD
    if constexpr (!std::is_same_v<Arch, simd::scalar> && sizeof(In) == 1 && sizeof(Out) == 1) {
        if (!std::is_constant_evaluated()) return vectorized::mean<Arch>(of);
    }
#endif
    reference::mean<Scheme>(of);
}

} // namespace statiq::kernels
