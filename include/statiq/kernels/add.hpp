// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/add.hpp>
#include <statiq/simd/arch.hpp>

#ifndef STATIQ_NO_SIMD
#include <statiq/kernels/bytes/add.hpp>
#endif

#include <type_traits>

namespace statiq::kernels {

/// The element-wise sum. Bits as `reference::add`. Bytes run in vector registers; other types and constant evaluation
/// in reference code.
template <class Scheme, class In, class Out, class Arch = simd::native_arch>
constexpr void add(const reference::add_arguments<In, Out, Scheme>& sum, [[maybe_unused]] Arch arch = {}) noexcept {
#ifndef STATIQ_NO_SIMD
    if constexpr (!std::is_same_v<Arch, simd::scalar> && sizeof(In) == 1 && sizeof(Out) == 1) {
        if (!std::is_constant_evaluated()) return vectorized::add<Arch>(sum);
    }
#endif
    reference::add(sum);
}

} // namespace statiq::kernels
