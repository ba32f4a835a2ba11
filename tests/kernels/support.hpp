// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/stored.hpp>
#include <statiq/numeric/fixed_point.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/tensor/extents.hpp>
#include <statiq/tensor/window.hpp>

#include "../support/guarded.hpp"
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

/// What the tests of the scalar kernels share: random tensors, and the error a requantization scheme may make.
namespace kernel_test {

inline int uniform(std::mt19937& random, int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
}
inline double uniform_real(std::mt19937& random, double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
}
/// Spread evenly over the powers of two between low and high.
inline float random_scale(std::mt19937& random, double low, double high) {
    return static_cast<float>(std::exp2(uniform_real(random, std::log2(low), std::log2(high))));
}

template <statiq::kernels::reference::stored T>
int lowest() {
    return static_cast<int>(std::numeric_limits<T>::lowest());
}
template <statiq::kernels::reference::stored T>
int highest() {
    return static_cast<int>(std::numeric_limits<T>::max());
}
template <statiq::kernels::reference::stored_integer T>
int random_zero_point(std::mt19937& random) {
    return uniform(random, lowest<T>(), highest<T>());
}

/// Values over the whole range of T, its ends more often than chance would have them; floats in [-10, 10].
template <statiq::kernels::reference::stored T>
std::vector<T> random_values(std::mt19937& random, std::size_t size) {
    std::vector<T> values(size);
    for (T& value : values) {
        if constexpr (std::is_same_v<T, float>) {
            value = static_cast<float>(uniform_real(random, -10, 10));
        } else {
            const int choice = uniform(random, 0, 15);
            value = static_cast<T>(choice == 0   ? lowest<T>()
                                   : choice == 1 ? highest<T>()
                                                 : uniform(random, lowest<T>(), highest<T>()));
        }
    }
    return values;
}

/// The same between guarded pages.
template <statiq::kernels::reference::stored T>
support::guarded_vector<T> guarded_values(std::mt19937& random, std::size_t size) {
    const std::vector<T> values = random_values<T>(random, size);
    return {values.begin(), values.end()};
}

/// An image with a window whose every output has at least one tap inside: padding smaller than the kernel, and
/// dilation only where the image is large enough.
struct windowed {
    statiq::extents in{};
    statiq::extents out{};
    statiq::window over{};
};

/// One axis of a windowed image.
struct windowed_axis {
    int in, out, kernel, stride, dilation, pad;
};

inline windowed_axis random_axis(std::mt19937& random) {
    const int kernel = uniform(random, 1, 5);
    const int dilation = uniform(random, 0, 3) == 0 ? 2 : 1;
    const int span = (kernel - 1) * dilation + 1;
    const int stride = uniform(random, 1, 4);
    int in = uniform(random, 1, 13);
    switch (uniform(random, 0, 2)) {
    case 0: { // no padding
        in = in < span ? span : in;
        return {in, (in - span) / stride + 1, kernel, stride, dilation, 0};
    }
    case 1: { // "same" padding: out = ceil(in / stride), the odd padding at the end
        in = dilation > 1 && in < span ? span : in;
        const int out = (in + stride - 1) / stride;
        const int total = (out - 1) * stride + span - in;
        return {in, out, kernel, stride, dilation, total > 0 ? total / 2 : 0};
    }
    default: { // any padding, different at both ends
        in = in < span ? span : in;
        const int before = uniform(random, 0, (kernel - 1) * dilation);
        const int after = uniform(random, 0, (kernel - 1) * dilation);
        return {in, (in + before + after - span) / stride + 1, kernel, stride, dilation, before};
    }
    }
}

inline windowed random_windowed(std::mt19937& random, int channels) {
    const windowed_axis rows = random_axis(random);
    const windowed_axis columns = random_axis(random);
    return {.in = {rows.in, columns.in, channels},
            .out = {rows.out, columns.out, channels},
            .over = {.kernel_height = rows.kernel,
                     .kernel_width = columns.kernel,
                     .stride_height = rows.stride,
                     .stride_width = columns.stride,
                     .dilation_height = rows.dilation,
                     .dilation_width = columns.dilation,
                     .pad_top = rows.pad,
                     .pad_left = columns.pad}};
}

/// How far Scheme::apply(acc, factor) may be from the real `product` = acc * M, when the factor has been prepared from
/// M to the nearest (fixed point: relative error 2^-31; float: 2^-24, as the accumulator and the product).
/// @param more_factor_error relative error of the factor beyond that.
template <class Scheme>
double apply_error(double product, typename Scheme::factor factor, double more_factor_error = 0) {
    const double size = std::abs(product);
    if constexpr (std::is_same_v<Scheme, statiq::float_multiplier>) {
        (void)factor;
        return 0.5 + size * (3.001 * 0x1p-24 + more_factor_error);
    } else {
        // `gemmlowp` first rounds to units of 2^shift, then to integers.
        const bool twice = std::is_same_v<Scheme, statiq::gemmlowp> && factor.shift < 0;
        return 0.5 + (twice ? std::ldexp(0.5, factor.shift) : 0.0) + size * (0x1.001p-31 + more_factor_error);
    }
}

} // namespace kernel_test
