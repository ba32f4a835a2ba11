// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/mean.hpp>
#include <statiq/kernels/vector_kernel.hpp>
#include <statiq/simd/arch.hpp>

#ifndef STATIQ_NO_SIMD
#include <statiq/kernels/bytes/mean.hpp>
#endif

#include <type_traits>

namespace statiq::kernels {

#ifndef STATIQ_NO_SIMD
struct mean_kernel {
    template <class Arch, class Arguments>
    static bool run(const Arguments& of) noexcept {
        vectorized::mean<Arch>(of);
        return true;
    }
};
#endif

/// The mean over all pixels. Bits as `reference::mean`. Bytes run in vector registers; other types and constant
/// evaluation in reference code.
template <class Scheme, class In, class Out, class Arch = simd::native_arch>
constexpr void mean(const reference::mean_arguments<In, Out, Scheme>& of, [[maybe_unused]] Arch arch = {}) noexcept {
    if constexpr (sizeof(In) == 1 && sizeof(Out) == 1)
        if (!std::is_constant_evaluated() && run_vectors<mean_kernel, Arch>(of)) return;
    reference::mean<Scheme>(of);
}

} // namespace statiq::kernels
