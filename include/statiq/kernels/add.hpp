// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/add.hpp>
#include <statiq/kernels/vector_kernel.hpp>
#include <statiq/simd/arch.hpp>

#ifndef STATIQ_NO_SIMD
#include <statiq/kernels/bytes/add.hpp>
#endif

#include <type_traits>

namespace statiq::kernels {

#ifndef STATIQ_NO_SIMD
struct add_kernel {
    template <class Arch, class Arguments>
    static bool run(const Arguments& of) noexcept {
        vectorized::add<Arch>(of);
        return true;
    }
};
#endif

/// The element-wise sum. Bits as `reference::add`. Bytes run in vector registers; other types and constant evaluation
/// in reference code.
template <class Scheme, class In, class Out, class Arch = simd::native_arch>
constexpr void add(const reference::add_arguments<In, Out, Scheme>& sum, [[maybe_unused]] Arch arch = {}) noexcept {
    if constexpr (sizeof(In) == 1 && sizeof(Out) == 1)
        if (!std::is_constant_evaluated() && run_vectors<add_kernel, Arch>(sum)) return;
    reference::add(sum);
}

} // namespace statiq::kernels
