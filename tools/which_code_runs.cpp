// SPDX-License-Identifier: Apache-2.0
// The tables of docs/which_code_runs.md, as a constant: which_code_runs.py reads it from the assembly, so that a
// machine need not have the instruction sets. Everything is asked of the functions by which kernels choose.
#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/convolution/blocked/exact_pair_sums.hpp>
#include <statiq/numeric/number.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using namespace statiq;
using kernels::nest;

struct text {
    std::array<char, 16384> characters{};
    std::size_t size = 0;

    constexpr text& operator<<(std::string_view words) {
        for (const char c : words) characters[size++] = c;
        return *this;
    }
    constexpr text& operator<<(int number) {
        if (number > 9) *this << number / 10;
        characters[size++] = static_cast<char>('0' + number % 10);
        return *this;
    }
};

struct layer {
    std::string_view words;
    convolution_shape shape;
};

constexpr convolution_shape square(int side, int stride, int in, int out, int groups = 1, int dilation = 1) {
    const int reach = (side - 1) * dilation + 1;
    return {.in = {56, 56, in},
            .out = {(56 + stride - 1) / stride, (56 + stride - 1) / stride, out},
            .over = {.kernel_height = side,
                     .kernel_width = side,
                     .stride_height = stride,
                     .stride_width = stride,
                     .dilation_height = dilation,
                     .dilation_width = dilation,
                     .pad_top = reach / 2,
                     .pad_left = reach / 2},
            .groups = groups};
}
constexpr convolution_shape depthwise(int side, int stride, int channels, int dilation = 1) {
    return square(side, stride, channels, channels, channels, dilation);
}

constexpr std::array layers{
    layer{"1 x 1, 64 to 128 channels; dense", square(1, 1, 64, 128)},
    layer{"3 x 3, stride 2, 3 to 32 channels", square(3, 2, 3, 32)},
    layer{"3 x 3, 64 to 64 channels", square(3, 1, 64, 64)},
    layer{"3 x 3, 64 to 64 channels, 4 groups", square(3, 1, 64, 64, 4)},
    layer{"depthwise 3 x 3, 8 channels", depthwise(3, 1, 8)},
    layer{"depthwise 3 x 3, 16 channels", depthwise(3, 1, 16)},
    layer{"depthwise 3 x 3, 64 channels", depthwise(3, 1, 64)},
    layer{"depthwise 3 x 3, stride 2, 64 channels", depthwise(3, 2, 64)},
    layer{"depthwise 5 x 5, 8 channels", depthwise(5, 1, 8)},
    layer{"depthwise 5 x 5, 64 channels", depthwise(5, 1, 64)},
    layer{"depthwise 5 x 5, stride 2, 64 channels", depthwise(5, 2, 64)},
    layer{"depthwise 7 x 7, 64 channels", depthwise(7, 1, 64)},
    layer{"depthwise 3 x 3, dilation 2, 64 channels", depthwise(3, 1, 64, 2)},
    layer{"depthwise 9 x 9, 64 channels", depthwise(9, 1, 64)},
    layer{"depthwise 3 x 3, 64 to 128 channels", square(3, 1, 64, 128, 64)},
};

constexpr std::string_view name_of(nest one) {
    switch (one) {
    case nest::reference:
        return "reference";
    case nest::blocked:
        return "blocked";
    case nest::rows_3:
        return "rows, 3";
    case nest::rows_5:
        return "rows, 5";
    case nest::columns_3:
        return "columns, 3";
    case nest::columns_3_stride_2:
        return "columns, 3, stride 2";
    case nest::columns_5:
        return "columns, 5";
    case nest::columns_5_stride_2:
        return "columns, 5, stride 2";
    case nest::channels:
        return "channels";
    case nest::zero_points:
        break; // added to others
    }
    return "?";
}

using byte = quantized<8, asymmetric>;

/// What 16 bits hold of products of unsigned bytes and symmetric weights.
template <int Bits>
constexpr int pair_sums = [] {
    const number_format& weights = quantized<Bits, symmetric, per_channel>::format;
    return kernels::exact_pair_sums({byte::format.lowest, byte::format.highest}, {weights.lowest, weights.highest});
}();

#ifndef STATIQ_NO_SIMD

template <class Arch, int Bits>
constexpr void describe_bytes(text& to) {
    namespace vectorized = kernels::vectorized;
    constexpr int sums = vectorized::sums_pairs<Arch> ? pair_sums<Bits> : 0;
    using format = vectorized::byte_format<Arch, std::uint8_t, std::uint8_t, float_multiplier, sums>;
    constexpr vectorized::step_kind kind = vectorized::step_of<Arch>(sums);
    if (kind == vectorized::step_kind::narrow)
        to << "narrow, " << sums << " sums";
    else if (kind == vectorized::step_kind::checked)
        to << "checked";
    else
        to << (simd::has_byte_dot<Arch> ? "plain, dot product" : sums > 0 ? "plain, pairs" : "plain, widened");
    to << ", " << format::tile_pixels(format::max_vectors) << " x " << format::max_vectors * format::lanes;
}
template <class Arch>
constexpr void describe_floats(text& to) {
    using format = kernels::vectorized::float_format<Arch>;
    to << "plain, " << format::tile_pixels(format::max_vectors) << " x " << format::max_vectors * format::lanes;
}

template <class... Archs>
constexpr text describe(simd::arch_list<Archs...>) {
    text to;
    to << "nests\n";
    for (const layer& one : layers) {
        to << "| " << one.words;
        for (const int lanes : {4, 8, 16})
            to << " | " << name_of(kernels::byte_nest_of<std::int8_t>(one.shape, false, lanes));
        to << " | " << name_of(kernels::float_nest_of(one.shape)) << " |\n";
    }
    to << "steps\n";
    ((to << "| " << simd::register_count<Archs> << " of " << simd::word_lanes<Archs> << " x 32 bits | ",
      describe_bytes<Archs, 8>(to), to << " | ", describe_bytes<Archs, 7>(to), to << " | ",
      describe_bytes<Archs, 5>(to), to << " | ", describe_bytes<Archs, 4>(to), to << " | ", describe_floats<Archs>(to),
      to << " |\n"),
     ...);
    to << "end\n";
    return to;
}

#if defined(__x86_64__)
using described = simd::arch_list<xsimd::sse2, xsimd::sse4_1, xsimd::fma3<xsimd::avx2>, simd::avx_vnni, xsimd::avx512bw,
                                  simd::avx512_vnni>;
#else
using described = simd::arch_list<xsimd::neon64, simd::neon64_dot>;
#endif

constexpr text whole = describe(described{});

#endif

} // namespace

extern const std::array<char, whole.size> statiq_which_code_runs;
constinit const std::array<char, whole.size> statiq_which_code_runs = [] {
    std::array<char, whole.size> exact{};
    for (std::size_t i = 0; i < whole.size; ++i) exact[i] = whole.characters[i];
    return exact;
}();
