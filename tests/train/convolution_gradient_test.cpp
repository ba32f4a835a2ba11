// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/backward/input_gradient.hpp>
#include <statiq/kernels/backward/weight_gradient.hpp>
#include <statiq/kernels/reference/backward/convolution.hpp>

#include <doctest/doctest.h>

#include "../kernels/convolution_cases.hpp"
#include "../support/real_oracle.hpp"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

using convolution_cases::convolution_shape;
using convolution_cases::draw;
using convolution_cases::generator;
using convolution_cases::kind;
namespace kernels = statiq::kernels;

namespace {

template <class Real>
std::vector<Real> draws(generator& random, std::size_t count) {
    std::uniform_real_distribution<Real> value(-2, 2);
    std::vector<Real> values(count);
    for (Real& v : values) v = value(random);
    return values;
}
std::vector<double> widened(const std::vector<float>& values) { return {values.begin(), values.end()}; }
std::vector<double> magnitudes(std::vector<double> values) {
    for (double& v : values) v = std::abs(v);
    return values;
}

/// The loss sum(dy conv(x, w)), by the forward definition.
double loss(const convolution_shape& shape, const std::vector<double>& x, const std::vector<double>& w,
            const std::vector<double>& dy) {
    std::vector<double> y(shape.out.size());
    kernels::reference::convolve(
        x.data(), y.data(), shape, {}, [](int) { return 0.0; },
        [&](double value, int o, int tap, int c) { return value * w[shape.weight_index(o, tap, c)]; },
        [](int, double sum) { return sum; });
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += dy[i] * y[i];
    return sum;
}

constexpr kind kinds[] = {kind::any, kind::pointwise, kind::depthwise, kind::dense};

} // namespace

TEST_CASE("a convolution's gradients are its central differences") {
    generator random(71);
    for (const kind k : kinds)
        for (int repeat = 0; repeat < 60; ++repeat) {
            const convolution_shape shape = convolution_cases::random_shape(random, k, 12);
            CAPTURE(convolution_cases::describe(shape));
            auto x = draws<double>(random, shape.in.size());
            auto w = draws<double>(random, shape.weight_count());
            const auto dy = draws<double>(random, shape.out.size());
            std::vector<double> dx(x.size(), 7.0);
            kernels::reference::input_gradient(w.data(), dy.data(), dx.data(), shape);
            std::vector<double> dw(w.size(), 0.0);
            kernels::reference::add_weight_gradient(x.data(), dy.data(), dw.data(), shape);
            // A loss that is linear in a value has its central difference, with any step, for a derivative: what is
            // left is the rounding of two sums.
            const auto check = [&](std::vector<double>& varied, const std::vector<double>& gradient) {
                const double terms = static_cast<double>(shape.out.size()) * shape.reduction();
                const double bound = terms * 0x1p-52 * loss(shape, magnitudes(x), magnitudes(w), magnitudes(dy));
                for (int trial = 0; trial < 8; ++trial) {
                    const auto i = static_cast<std::size_t>(draw(random, 0, static_cast<int>(varied.size()) - 1));
                    const double value = varied[i];
                    varied[i] = value + 1;
                    const double above = loss(shape, x, w, dy);
                    varied[i] = value - 1;
                    const double below = loss(shape, x, w, dy);
                    varied[i] = value;
                    // Values are at most 2, so a step of 1 makes no product more than twice as large.
                    CHECK(std::abs((above - below) / 2 - gradient[i]) <= 4 * bound + terms * 0x1p-48);
                }
            };
            check(x, dx);
            check(w, dw);
        }
}

TEST_CASE("the vector kernels' gradients are the defined ones up to the rounding of their sums") {
    generator random(72);
    for (const kind k : kinds)
        for (int repeat = 0; repeat < 150; ++repeat) {
            const convolution_shape shape = convolution_cases::random_shape(random, k);
            CAPTURE(convolution_cases::describe(shape));
            const int samples = draw(random, 1, 5);
            const auto count = static_cast<std::size_t>(samples);
            const auto x = draws<float>(random, count * shape.in.size());
            const auto w = draws<float>(random, shape.weight_count());
            const auto dy = draws<float>(random, count * shape.out.size());

            std::vector<float> packed(kernels::packed_gradient_weight_count(shape));
            std::vector<float> turned(shape.weight_count());
            kernels::pack_gradient_weights(w.data(), packed.data(), turned.data(), shape);
            const std::vector<float> zeros(static_cast<std::size_t>(shape.in.channels));
            std::vector<float> phases(shape.in.size());
            std::vector<float> dx(shape.in.size(), 7.0F);
            kernels::input_gradient({dy.data(), packed.data(), zeros.data(), phases.data(), dx.data()}, shape);
            std::vector<double> exact(dx.size());
            std::vector<double> size(dx.size());
            const auto first_dy = widened({dy.begin(), dy.begin() + static_cast<std::ptrdiff_t>(shape.out.size())});
            kernels::reference::input_gradient(widened(w).data(), first_dy.data(), exact.data(), shape);
            kernels::reference::input_gradient(magnitudes(widened(w)).data(), magnitudes(first_dy).data(), size.data(),
                                               shape);
            const double terms = shape.over.taps() * shape.out_channels_per_group();
            for (std::size_t i = 0; i < dx.size(); ++i)
                CHECK(std::abs(static_cast<double>(dx[i]) - exact[i]) <=
                      support::detail::sum_roundoff(terms + 1) * size[i]);

            // In two ranges of samples and of channels: whatever is shared out comes together.
            std::vector<float> dw(w.size(), 0.0F);
            const std::size_t middle = count / 2 * shape.out.pixels();
            const int channel = draw(random, 0, shape.out.channels);
            kernels::weight_gradient_arguments part{.input = x.data(),
                                                    .output_gradient = dy.data(),
                                                    .first_pixel = 0,
                                                    .last_pixel = 0,
                                                    .first_channel = 0,
                                                    .last_channel = 0,
                                                    .gradient = dw.data()};
            for (const auto& [first, last] : {std::pair{std::size_t{0}, middle}, {middle, count * shape.out.pixels()}})
                for (const auto& [from, to] : {std::pair{0, channel}, {channel, shape.out.channels}}) {
                    part.first_pixel = first;
                    part.last_pixel = last;
                    part.first_channel = from;
                    part.last_channel = to;
                    kernels::add_weight_gradient(part, shape);
                }
            std::vector<float> undivided(w.size(), 0.0F);
            part.first_channel = 0;
            for (const auto& [first, last] :
                 {std::pair{std::size_t{0}, middle}, {middle, count * shape.out.pixels()}}) {
                part.first_pixel = first;
                part.last_pixel = last;
                part.gradient = undivided.data();
                kernels::add_weight_gradient(part, shape);
            }
            CHECK(dw == undivided);
            std::vector<double> exact_dw(w.size(), 0.0);
            std::vector<double> size_dw(w.size(), 0.0);
            const auto wide_x = widened(x);
            const auto wide_dy = widened(dy);
            const auto large_x = magnitudes(wide_x);
            const auto large_dy = magnitudes(wide_dy);
            for (std::size_t s = 0; s < count; ++s) {
                kernels::reference::add_weight_gradient(wide_x.data() + s * shape.in.size(),
                                                        wide_dy.data() + s * shape.out.size(), exact_dw.data(), shape);
                kernels::reference::add_weight_gradient(large_x.data() + s * shape.in.size(),
                                                        large_dy.data() + s * shape.out.size(), size_dw.data(), shape);
            }
            const auto products = static_cast<double>(count * shape.out.pixels());
            for (std::size_t i = 0; i < dw.size(); ++i)
                CHECK(std::abs(static_cast<double>(dw[i]) - exact_dw[i]) <=
                      support::detail::sum_roundoff(products + 2) * size_dw[i]);
        }
}
