// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/arguments.hpp>
#include <statiq/kernels/blocked_convolution.hpp>
#include <statiq/kernels/byte_convolution.hpp>
#include <statiq/kernels/byte_depthwise.hpp>
#include <statiq/kernels/depthwise.hpp>
#include <statiq/kernels/float_convolution.hpp>
#include <statiq/kernels/float_depthwise.hpp>
#include <statiq/kernels/weights.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/tensor/window.hpp>

#include <cstdint>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

/// Which loop nest runs a convolution, and in which format.
namespace statiq::kernels::vectorized {

/// Depthwise windows the vector nest takes.
[[nodiscard]] inline bool is_plain_depthwise(const convolution_shape& shape) noexcept {
    return shape.in.channels == shape.out.channels && shape.over.taps() <= most_depthwise_taps;
}

/// The instruction set with registers of half the size, where that pays: 256-bit registers fill with few channels, and
/// shuffle twice per cycle.
template <class Arch>
using half_arch =
    std::conditional_t<std::is_base_of_v<simd::avx512_vnni, Arch> && simd::detail::has_avx_vnni, simd::avx_vnni,
                       std::conditional_t<std::is_base_of_v<xsimd::avx512bw, Arch>, xsimd::avx2, Arch>>;

template <class Arch, bool HasZeroPoints, class In, class Out, class Scheme>
void depthwise_bytes(const convolution_arguments<In, std::int8_t, Out, Scheme>& arguments,
                     const convolution_shape& shape) noexcept {
    using format = byte_depthwise_format<Arch, In, Out, Scheme, HasZeroPoints>;
    using half_format = byte_depthwise_format<half_arch<Arch>, In, Out, Scheme, HasZeroPoints>;
    const int channels = shape.in.channels;
    const int rest = channels % format::width;
    // All channels in less than half a register: runs of pixels fill a whole one, if the stride allows.
    const bool runs = channels < format::width && shape.over.stride_width == 1;
    const int begin = !runs && rest > 0 && rest <= half_format::width ? channels - rest : channels;
    if (begin > 0) depthwise_channels<format>(arguments, shape).run(0, begin);
    if (begin < channels) depthwise_channels<half_format>(arguments, shape).run(begin, channels);
}

/// @return whether there is a vector kernel for this shape; if not, nothing has been done.
template <class Arch, class In, class Out, class Scheme>
bool convolution(const convolution_arguments<In, std::int8_t, Out, Scheme>& arguments,
                 const convolution_shape& shape) noexcept {
    if (!is_depthwise(shape)) {
        convolve_blocked<byte_format<Arch, In, Out, Scheme>>(arguments, shape);
        return true;
    }
    if (!is_plain_depthwise(shape)) return false;
    if (arguments.weight_zero_points != nullptr)
        depthwise_bytes<Arch, true>(arguments, shape);
    else
        depthwise_bytes<Arch, false>(arguments, shape);
    return true;
}

template <class Arch>
bool convolution(const float_convolution_arguments& arguments, const convolution_shape& shape) noexcept {
    if (!is_depthwise(shape)) {
        convolve_blocked<float_format<Arch>>(arguments, shape);
        return true;
    }
    if (!is_plain_depthwise(shape)) return false;
    depthwise_channels<float_depthwise_format<Arch>>(arguments, shape).run(0, shape.in.channels);
    return true;
}

} // namespace statiq::kernels::vectorized

#endif
