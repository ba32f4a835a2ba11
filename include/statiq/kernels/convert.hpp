// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/convert.hpp>
#include <statiq/kernels/vector_kernel.hpp>
#include <statiq/simd/arch.hpp>

#ifndef STATIQ_NO_SIMD
#include <statiq/kernels/bytes/quantize.hpp>
#include <statiq/kernels/bytes/requantize.hpp>
#endif

#include <type_traits>

namespace statiq::kernels {

#ifndef STATIQ_NO_SIMD
struct quantize_kernel {
    template <class Arch, class Arguments>
    static bool run(const Arguments& of) noexcept {
        vectorized::quantize<Arch>(of);
        return true;
    }
};
struct dequantize_kernel {
    template <class Arch, class Arguments>
    static bool run(const Arguments& of) noexcept {
        vectorized::dequantize<Arch>(of);
        return true;
    }
};
struct clamp_kernel {
    template <class Arch, class Arguments>
    static bool run(const Arguments& of) noexcept {
        vectorized::clamp<Arch>(of);
        return true;
    }
};
struct requantize_kernel {
    template <class Arch, class In, class Out, class Scheme>
    static bool run(const reference::requantize_arguments<In, Out, Scheme>& of) noexcept {
        vectorized::byte_requantizer<Arch, In, Out, Scheme>(of).run(of.input, of.size, of.output);
        return true;
    }
};
#endif

/// Floats to integers, rounded half away from zero. Bits as `reference::quantize`. Bytes run in vector registers;
/// 16-bit integers and constant evaluation in reference code.
template <class Out, class Arch = simd::native_arch>
constexpr void quantize(const reference::quantize_arguments<Out>& of, [[maybe_unused]] Arch arch = {}) noexcept {
    if constexpr (sizeof(Out) == 1)
        if (!std::is_constant_evaluated() && run_vectors<quantize_kernel, Arch>(of)) return;
    reference::quantize(of);
}

/// Integers to floats. Bits as `reference::dequantize`, in vector registers where `quantize` runs in them.
template <class In, class Arch = simd::native_arch>
constexpr void dequantize(const reference::dequantize_arguments<In>& of, [[maybe_unused]] Arch arch = {}) noexcept {
    if constexpr (sizeof(In) == 1)
        if (!std::is_constant_evaluated() && run_vectors<dequantize_kernel, Arch>(of)) return;
    reference::dequantize(of);
}

/// Integers to integers of another scale and zero point. Bits as `reference::requantize`. Bytes run in vector
/// registers; other types and constant evaluation in reference code.
template <class Scheme, class In, class Out, class Arch = simd::native_arch>
constexpr void requantize(const reference::requantize_arguments<In, Out, Scheme>& of,
                          [[maybe_unused]] Arch arch = {}) noexcept {
    if constexpr (sizeof(In) == 1 && sizeof(Out) == 1)
        if (!std::is_constant_evaluated() && run_vectors<requantize_kernel, Arch>(of)) return;
    reference::requantize<Scheme>(of);
}

/// An activation on its own. Bits as `reference::clamp`; bytes run in vector registers.
template <class T, class Arch = simd::native_arch>
constexpr void clamp(const reference::clamp_arguments<T>& of, [[maybe_unused]] Arch arch = {}) noexcept {
    if constexpr (sizeof(T) == 1)
        if (!std::is_constant_evaluated() && run_vectors<clamp_kernel, Arch>(of)) return;
    reference::clamp(of);
}

} // namespace statiq::kernels
