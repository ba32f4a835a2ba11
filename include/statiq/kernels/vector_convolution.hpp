// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/arguments.hpp>
#include <statiq/kernels/blocked_convolution.hpp>
#include <statiq/kernels/byte_columns.hpp>
#include <statiq/kernels/byte_convolution.hpp>
#include <statiq/kernels/byte_depthwise.hpp>
#include <statiq/kernels/depthwise.hpp>
#include <statiq/kernels/depthwise_columns.hpp>
#include <statiq/kernels/depthwise_rows.hpp>
#include <statiq/kernels/float_columns.hpp>
#include <statiq/kernels/float_convolution.hpp>
#include <statiq/kernels/float_depthwise.hpp>
#include <statiq/kernels/weights.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <cstdint>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

/// Which loop nest runs a convolution, and in which format.
namespace statiq::kernels::vectorized {

/// Depthwise windows the vector nest takes.
[[nodiscard]] inline bool is_plain_depthwise(const convolution_shape& shape) noexcept {
    return shape.in.channels == shape.out.channels && shape.over.taps() <= most_depthwise_taps;
}

/// The instruction set with registers of half the size, where that pays: they fill with fewer channels, and of 256 bits
/// are shuffled twice per cycle.
template <class Arch>
using half_arch = std::conditional_t<
    std::is_base_of_v<simd::avx512_vnni, Arch> && simd::detail::has_avx_vnni, simd::avx_vnni,
    std::conditional_t<std::is_base_of_v<xsimd::avx512bw, Arch>, xsimd::avx2,
                       std::conditional_t<std::is_base_of_v<xsimd::avx2, Arch>, xsimd::sse4_1, Arch>>>;

/// Runs channels [begin, end) by the nest of columns for K x K windows.
/// @return whether it takes this convolution; if not, nothing has been done.
template <class Format, int K>
bool run_columns(const typename Format::arguments& arguments, const convolution_shape& shape, int begin,
                 int end) noexcept {
    const auto run_if_taken = [&]<int Stride>(std::integral_constant<int, Stride>) {
        using nest = depthwise_columns<Format, K, Stride>;
        const bool taken = nest::takes(shape);
        if (taken) nest(arguments, shape).run(begin, end);
        return taken;
    };
    return run_if_taken(std::integral_constant<int, 1>{}) || run_if_taken(std::integral_constant<int, 2>{});
}

/// The same for few channels, by the nest of rows.
template <class Format>
bool run_rows(const typename Format::arguments& arguments, const convolution_shape& shape) noexcept {
    const auto run_if_taken = [&]<int K>(std::integral_constant<int, K>) {
        using nest = depthwise_rows<Format, K>;
        const bool taken = nest::takes(shape);
        if (taken) nest(arguments, shape).run();
        return taken;
    };
    return run_if_taken(std::integral_constant<int, 3>{}) || run_if_taken(std::integral_constant<int, 5>{});
}

template <class Arch, bool HasZeroPoints, class In, class Out, class Scheme>
void depthwise_bytes(const convolution_arguments<In, std::int8_t, Out, Scheme>& arguments,
                     const convolution_shape& shape) noexcept {
    using half = half_arch<Arch>;
    constexpr int width = static_cast<int>(simd::batch<In, Arch>::size);
    constexpr int half_width = static_cast<int>(simd::batch<In, half>::size);
    const int begin = arguments.channels.first, end = arguments.channels.end(shape.out.channels);
    const int rest = (end - begin) % width;
    const int whole = rest > 0 && rest <= half_width ? end - rest : end;
    if constexpr (!HasZeroPoints) {
        using format = byte_columns_format<Arch, In, Out, Scheme>;
        using half_format = byte_columns_format<half, In, Out, Scheme>;
        if (2 * shape.in.channels <= std::min(width, 32) && run_rows<format>(arguments, shape)) return;
        const bool taken = (whole == begin || run_columns<format, 3>(arguments, shape, begin, whole)) &&
                           (whole == end || run_columns<half_format, 3>(arguments, shape, whole, end));
        if (taken || run_columns<format, 5>(arguments, shape, begin, end)) return;
    }
    depthwise_channels<byte_depthwise_format<Arch, In, Out, Scheme, HasZeroPoints>>(arguments, shape).run(begin, end);
}

/// @return whether there is a vector kernel for this shape; if not, nothing has been done.
template <class Arch, int PairSums, class In, class Out, class Scheme>
bool convolution(const convolution_arguments<In, std::int8_t, Out, Scheme>& arguments,
                 const convolution_shape& shape) noexcept {
    if (!is_depthwise(shape)) {
        if (!blocked_layout<4>(shape).fits_copies()) return false;
        convolve_blocked<byte_format<Arch, In, Out, Scheme, sums_pairs<Arch> ? PairSums : 0>>(arguments, shape);
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
    const int begin = arguments.channels.first, end = arguments.channels.end(shape.out.channels);
    using columns = float_columns_format<Arch>;
    if (run_columns<columns, 3>(arguments, shape, begin, end)) return true;
    if (run_columns<columns, 5>(arguments, shape, begin, end)) return true;
    depthwise_channels<float_depthwise_format<Arch>>(arguments, shape).run(begin, end);
    return true;
}

} // namespace statiq::kernels::vectorized

#endif
