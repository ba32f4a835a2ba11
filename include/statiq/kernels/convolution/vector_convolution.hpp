// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/convolution/blocked/byte_format.hpp>
#include <statiq/kernels/convolution/blocked/float_format.hpp>
#include <statiq/kernels/convolution/blocked/loop.hpp>
#include <statiq/kernels/convolution/depthwise/byte_channels.hpp>
#include <statiq/kernels/convolution/depthwise/byte_columns.hpp>
#include <statiq/kernels/convolution/depthwise/channels.hpp>
#include <statiq/kernels/convolution/depthwise/columns.hpp>
#include <statiq/kernels/convolution/depthwise/float_channels.hpp>
#include <statiq/kernels/convolution/depthwise/float_columns.hpp>
#include <statiq/kernels/convolution/depthwise/rows.hpp>
#include <statiq/kernels/convolution/nests.hpp>
#include <statiq/kernels/convolution/padded_image.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>
#include <statiq/kernels/scratch.hpp>
#include <statiq/kernels/weights/expand_sub_bytes.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/halves.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#ifndef STATIQ_NO_SIMD

/// Which loop nest runs a convolution, and in which format.
namespace statiq::kernels::vectorized {

/// Bytes, 3 x 3 windows. If the last channels fill at most half a register, two output rows share a register, or
/// registers of half the size are used.
template <class Arch, bool ZeroPoints, int Stride, class In, class Out, class Scheme>
void depthwise_byte_columns(const convolution_arguments<In, std::int8_t, Out, Scheme>& arguments,
                            const convolution_shape& shape, int begin, int end) noexcept {
    constexpr int side = 3;
    using format = byte_columns_format<Arch, In, Out, Scheme, ZeroPoints>;
    using half_format = byte_columns_format<simd::half_arch<Arch>, In, Out, Scheme, ZeroPoints>;
    const int rows = shape.out.height;
    const int rest = (end - begin) % format::width;
    const int whole = rest > 0 && rest <= half_format::width ? end - rest : end;
    if (whole > begin) depthwise_columns<format, side, Stride>(arguments, shape).run(begin, whole, 0, rows);
    if (whole == end) return;
    depthwise_columns<half_format, side, Stride> halves(arguments, shape);
    int single = 0; // rows from here on are computed alone
    if constexpr (simd::joins_halves<Arch>) {
        using pairs_format = byte_columns_format<Arch, In, Out, Scheme, ZeroPoints, Stride>;
        // Windows that the image cuts take other weights.
        const region_span uncut = uncut_span(side, Stride, 1, shape.over.pad_top, shape.in.height, rows);
        const int paired = (uncut.end - uncut.begin) / 2 * 2;
        if (paired > 0) {
            halves.run(whole, end, 0, uncut.begin);
            single = uncut.begin + paired;
            depthwise_columns<pairs_format, side, Stride>(arguments, shape).run(whole, end, uncut.begin, single);
        }
    }
    halves.run(whole, end, single, rows);
}

/// `convolve_panels` of bytes: on the image, or on a padded copy where that pays.
template <class Arch, int PairSums, blocked_tiles Tiles, class In, class Out, class Scheme, class Panels>
void convolve_bytes(const convolution_arguments<In, std::int8_t, Out, Scheme>& arguments,
                    const convolution_shape& shape, const blocked_layout<4>& layout, const Panels& panels,
                    scratch_memory scratch) noexcept {
    using format = byte_format<Arch, In, Out, Scheme, sums_pairs<Arch> ? PairSums : 0>;
    if (!padded_image<In>::pays(shape, format::inputs))
        return convolve_panels<format, Tiles>(arguments, shape, layout, panels, scratch);
    const padded_image<In> padded(arguments.input, shape, format::padding(arguments), scratch);
    auto on_copy = arguments;
    on_copy.input = padded.values();
    convolve_panels<format, Tiles>(on_copy, padded.shape(), layout, panels, scratch);
}

/// Runs one nest, bytes to bytes.
template <class Arch, int PairSums, nest Nest, nest_set Nests, class In, class Out, class Scheme>
void run_nest(const convolution_arguments<In, std::int8_t, Out, Scheme>& arguments,
              const convolution_shape& shape) noexcept {
    constexpr bool zero_points = has_zero_points(Nest);
    constexpr nest loops = without_zero_points(Nest);
    using columns = byte_columns_format<Arch, In, Out, Scheme, zero_points>;
    const int begin = arguments.channels.first, end = arguments.channels.end(shape.out.channels);
    if constexpr (loops == nest::blocked)
        convolve_bytes<Arch, PairSums, Nests.tiles>(arguments, shape, blocked_layout_of<std::int8_t>(shape),
                                                    packed_panels<std::int8_t>{arguments.weights}, arguments.scratch);
    else if constexpr (loops == nest::rows_3)
        depthwise_rows<columns, 3>(arguments, shape).run();
    else if constexpr (loops == nest::rows_5)
        depthwise_rows<columns, 5>(arguments, shape).run();
    else if constexpr (loops == nest::columns_3)
        depthwise_byte_columns<Arch, zero_points, 1>(arguments, shape, begin, end);
    else if constexpr (loops == nest::columns_3_stride_2)
        depthwise_byte_columns<Arch, zero_points, 2>(arguments, shape, begin, end);
    else if constexpr (loops == nest::columns_5)
        depthwise_columns<columns, 5, 1>(arguments, shape).run(begin, end, 0, shape.out.height);
    else if constexpr (loops == nest::columns_5_stride_2)
        depthwise_columns<columns, 5, 2>(arguments, shape).run(begin, end, 0, shape.out.height);
    else
        depthwise_channels<byte_depthwise_format<Arch, In, Out, Scheme, zero_points>>(arguments, shape).run(begin, end);
}

/// The same for sub-byte weights. Each panel is expanded to bytes once, and all pixels read the expanded panel.
template <class Arch, int PairSums, nest Nest, nest_set Nests, class In, int Bits, class Out, class Scheme>
void run_nest(const convolution_arguments<In, sub_byte<Bits>, Out, Scheme>& from,
              const convolution_shape& shape) noexcept {
    static_assert(Nest == nest::blocked);
    const auto layout = blocked_layout_of<sub_byte<Bits>>(shape);
    scratch_memory scratch = from.scratch;
    auto* const expanded = scratch.take<std::int8_t>(layout.panel_size());
    const convolution_arguments<In, std::int8_t, Out, Scheme> arguments{.input = from.input,
                                                                        .weights = expanded,
                                                                        .bias = from.bias,
                                                                        .corrected_bias = from.corrected_bias,
                                                                        .weight_zero_points = from.weight_zero_points,
                                                                        .factors = from.factors,
                                                                        .input_zero_point = from.input_zero_point,
                                                                        .output_zero_point = from.output_zero_point,
                                                                        .lowest = from.lowest,
                                                                        .highest = from.highest,
                                                                        .output = from.output,
                                                                        .ahead = from.ahead,
                                                                        .channels = from.channels};
    convolve_bytes<Arch, PairSums, Nests.tiles>(arguments, shape, layout,
                                                expanded_panels<Arch, Bits>{from.weights, expanded}, scratch);
}

/// Runs one nest, floats.
template <class Arch, int, nest Nest, nest_set Nests>
void run_nest(const float_convolution_arguments& arguments, const convolution_shape& shape) noexcept {
    using columns = float_columns_format<Arch>;
    const int begin = arguments.channels.first, end = arguments.channels.end(shape.out.channels);
    if constexpr (Nest == nest::blocked)
        convolve_blocked<float_format<Arch>, Nests.tiles>(arguments, shape);
    else if constexpr (Nest == nest::columns_3)
        depthwise_columns<columns, 3, 1>(arguments, shape).run(begin, end, 0, shape.out.height);
    else if constexpr (Nest == nest::columns_3_stride_2)
        depthwise_columns<columns, 3, 2>(arguments, shape).run(begin, end, 0, shape.out.height);
    else if constexpr (Nest == nest::columns_5)
        depthwise_columns<columns, 5, 1>(arguments, shape).run(begin, end, 0, shape.out.height);
    else if constexpr (Nest == nest::columns_5_stride_2)
        depthwise_columns<columns, 5, 2>(arguments, shape).run(begin, end, 0, shape.out.height);
    else if constexpr (Nest == nest::channels)
        depthwise_channels<float_depthwise_format<Arch>>(arguments, shape).run(begin, end);
}

template <nest...>
struct nest_list {};

/// Runs the chosen loop nest.
/// @return false, and nothing is computed, unless `chosen` is a vector nest, `Nests` covers this convolution, and the
/// scratch memory suffices
template <class Arch, int PairSums, nest_set Nests, class Arguments>
bool convolution(nest chosen, const Arguments& arguments, const convolution_shape& shape) noexcept {
    using weight = typename Arguments::weight_type;
    if (!Nests.covers(nests_of<weight>(shape, chosen, simd::word_lanes<Arch>))) return false;
    if (arguments.scratch.bytes < needed_scratch_of(arguments, shape)) return false;
    const auto run_if_chosen = [&]<nest... Some>(nest_list<Some...>) {
        const auto run_one = [&]<nest One>(std::integral_constant<nest, One>) {
            if constexpr (Nests.has(One) && (!is_sub_byte<weight> || One == nest::blocked)) {
                if (chosen != One) return false;
                run_nest<Arch, PairSums, One, Nests>(arguments, shape);
                return true;
            } else {
                return false;
            }
        };
        return (run_one(std::integral_constant<nest, Some>{}) || ...) ||
               (run_one(std::integral_constant<nest, with_zero_points(Some)>{}) || ...);
    };
    using enum nest;
    return run_if_chosen(
        nest_list<blocked, rows_3, rows_5, columns_3, columns_3_stride_2, columns_5, columns_5_stride_2, channels>{});
}

} // namespace statiq::kernels::vectorized

#endif
