// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/look_up.hpp>
#include <statiq/kernels/vector_kernel.hpp>
#include <statiq/simd/arch.hpp>

#ifndef STATIQ_NO_SIMD
#include <statiq/kernels/bytes/look_up.hpp>
#endif

#include <type_traits>

namespace statiq::kernels {

#ifndef STATIQ_NO_SIMD
struct look_up_kernel {
    template <class Arch, class Arguments>
    static bool run([[maybe_unused]] const Arguments& of) noexcept {
        if constexpr (simd::looks_up_bytes<Arch>) vectorized::look_up<Arch>(of);
        return simd::looks_up_bytes<Arch>;
    }
};
#endif

/// A function of bytes by its table. Bits as `reference::look_up`. Outputs of bytes run in vector registers where
/// these look bytes up. Outputs of 16 bits run in reference code: vectors would have to look up both bytes and to pull
/// the table apart first.
template <class In, class Out, class Arch = simd::native_arch>
void look_up(const reference::look_up_arguments<In, Out>& of, [[maybe_unused]] Arch arch = {}) noexcept {
    if constexpr (sizeof(Out) == 1)
        if (run_vectors<look_up_kernel, Arch>(of)) return;
    reference::look_up(of);
}

} // namespace statiq::kernels
