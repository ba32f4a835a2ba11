// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/convert.hpp>
#include <statiq/simd/arch.hpp>

#ifndef STATIQ_NO_SIMD
#include <statiq/kernels/bytes/quantize.hpp>
#include <statiq/kernels/bytes/requantize.hpp>
#endif

#include <type_traits>

namespace statiq::kernels {

/// Floats to integers, rounded half away from zero. Bits as `reference::quantize`. Bytes run in vector registers;
/// 16-bit integers and constant evaluation in reference code.
template <class Out, class Arch = simd::native_arch>
constexpr void quantize(const reference::quantize_arguments<Out>& of, [[maybe_unused]] Arch arch = {}) noexcept {
#ifndef STATIQ_NO_SIMD
    if constexpr (!std::is_same_v<Arch, simd::scalar> && sizeof(Out) == 1) {
        if (!std::is_constant_evaluated()) return vectorized::quantize<Arch>(of);
    }
#endif
    reference::quantize(of);
}

/// Integers to floats. Bits as `reference::dequantize`, in vector registers where `quantize` runs in them.
template <class In, class Arch = simd::native_arch>
constexpr void dequantize(const reference::dequantize_arguments<In>& of, [[maybe_unused]] Arch arch = {}) noexcept {
#ifndef STATIQ_NO_SIMD
    if constexpr (!std::is_same_v<Arch, simd::scalar> && sizeof(In) == 1) {
        if (!std::is_constant_evaluated()) return vectorized::dequantize<Arch>(of);
    }
#endif
    reference::dequantize(of);
}

/// Integers to integers of another scale and zero point. Bits as `reference::requantize`. Bytes run in vector
/// registers; other types and constant evaluation in reference code.
template <class Scheme, class In, class Out, class Arch = simd::native_arch>
constexpr void requantize(const reference::requantize_arguments<In, Out, Scheme>& of,
                          [[maybe_unused]] Arch arch = {}) noexcept {
#ifndef STATIQ_NO_SIMD
    if constexpr (!std::is_same_v<Arch, simd::scalar> && sizeof(In) == 1 && sizeof(Out) == 1) {
        if (!std::is_constant_evaluated())
            return vectorized::byte_requantizer<Arch, In, Out, Scheme>(of).run(of.input, of.size, of.output);
    }
#endif
    reference::requantize<Scheme>(of);
}

/// An activation on its own. Bits as `reference::clamp`; bytes run in vector registers.
template <class T, class Arch = simd::native_arch>
constexpr void clamp(const reference::clamp_arguments<T>& of, [[maybe_unused]] Arch arch = {}) noexcept {
#ifndef STATIQ_NO_SIMD
    if constexpr (!std::is_same_v<Arch, simd::scalar> && sizeof(T) == 1) {
        if (!std::is_constant_evaluated()) return vectorized::clamp<Arch>(of);
    }
#endif
    reference::clamp(of);
}

} // namespace statiq::kernels
