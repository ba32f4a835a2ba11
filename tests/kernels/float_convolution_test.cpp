// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/convolution.hpp>

#include <doctest/doctest.h>

#include "../simd/archs.hpp"
#include "convolution_cases.hpp"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <typeinfo>
#include <vector>

using namespace convolution_cases;
namespace kernels = statiq::kernels;

namespace {

struct float_case {
    convolution_shape shape;
    guarded_vector<float> input, packed, bias;
    /// The exact outputs (to double precision) and how far a float sum of the same terms may lie from them.
    std::vector<double> exact, bound;
    support::guarded_scratch scratch;

    float_case(generator& random, const convolution_shape& s) : shape(s), scratch(kernels::scratch_bytes<float>(s)) {
        std::uniform_real_distribution<float> value(-2, 2);
        const auto draws = [&](std::size_t count) {
            guarded_vector<float> values(count);
            for (float& v : values) v = value(random);
            return values;
        };
        input = draws(s.in.size());
        bias = draws(static_cast<std::size_t>(s.out.channels));
        const guarded_vector<float> natural = draws(s.weight_count());
        packed.resize(kernels::packed_weight_count<float, float>(s));
        kernels::pack_weights<float>(natural.data(), packed.data(), s);

        const int in_group = s.in.channels / s.groups;
        const int out_group = s.out.channels / s.groups;
        const bool depthwise = s.groups > 1 && s.groups == s.in.channels;
        for (int y = 0; y < s.out.height; ++y)
            for (int x = 0; x < s.out.width; ++x)
                for (int o = 0; o < s.out.channels; ++o) {
                    double sum = static_cast<double>(bias[static_cast<std::size_t>(o)]);
                    double magnitude = std::abs(sum);
                    int terms = 1;
                    for (int tap = 0; tap < s.over.taps(); ++tap)
                        for (int i = 0; i < in_group; ++i) {
                            const int row = y * s.over.stride_height - s.over.pad_top +
                                            tap / s.over.kernel_width * s.over.dilation_height;
                            const int column = x * s.over.stride_width - s.over.pad_left +
                                               tap % s.over.kernel_width * s.over.dilation_width;
                            if (row < 0 || row >= s.in.height || column < 0 || column >= s.in.width) continue;
                            const int from = (row * s.in.width + column) * s.in.channels + o / out_group * in_group + i;
                            const int at =
                                depthwise ? tap * s.out.channels + o : (o * s.over.taps() + tap) * in_group + i;
                            const double product = static_cast<double>(input[static_cast<std::size_t>(from)]) *
                                                   static_cast<double>(natural[static_cast<std::size_t>(at)]);
                            sum += product;
                            magnitude += std::abs(product);
                            ++terms;
                        }
                    exact.push_back(sum);
                    // Each term passes through at most one rounding of its product and terms - 1 of sums, so
                    // |error| <= gamma(terms) * sum of |terms|, gamma(n) = n u / (1 - n u), u = 2^-24.
                    const double nu = terms * std::ldexp(1.0, -24);
                    bound.push_back(nu / (1 - nu) * magnitude);
                }
    }

    [[nodiscard]] kernels::float_convolution_arguments args(guarded_vector<float>& output) const {
        return {.input = input.data(),
                .weights = packed.data(),
                .bias = bias.data(),
                .output = output.data(),
                .scratch = scratch.memory()};
    }
    [[nodiscard]] guarded_vector<float> empty_output() const {
        return guarded_vector<float>(shape.out.size(), std::numeric_limits<float>::quiet_NaN());
    }
    [[nodiscard]] std::size_t beyond_bound(const guarded_vector<float>& output) const {
        std::size_t count = 0;
        for (std::size_t i = 0; i < output.size(); ++i)
            if (!(std::abs(static_cast<double>(output[i]) - exact[i]) <= bound[i])) ++count;
        return count;
    }
};

} // namespace

TEST_CASE("float convolutions err by no more than their roundings") {
    generator random(21);
    for (int trial = 0; trial < 60; ++trial)
        for (const kind k : {kind::any, kind::pointwise, kind::depthwise, kind::dense}) {
            const convolution_shape shape = random_shape(random, k);
            const float_case c(random, shape);
            INFO(describe(shape));
            auto output = c.empty_output();
            kernels::reference::convolution(c.args(output), shape);
            CHECK(c.beyond_bound(output) == 0);
            for_each_arch([&](auto arch) {
                INFO(typeid(arch).name());
                auto vector_output = c.empty_output();
                kernels::convolution(c.args(vector_output), shape, arch);
                CHECK(c.beyond_bound(vector_output) == 0);
            });
        }
}

TEST_CASE("float convolutions clamp") {
    generator random(22);
    for (const kind k : {kind::any, kind::depthwise}) {
        const convolution_shape shape = random_shape(random, k);
        const float_case c(random, shape);
        for_each_arch([&](auto arch) {
            auto free = c.empty_output();
            kernels::convolution(c.args(free), shape, arch);
            auto clamped = c.empty_output();
            auto args = c.args(clamped);
            args.lowest = 0;
            args.highest = 1.5F;
            kernels::convolution(args, shape, arch);
            for (float& v : free) v = std::clamp(v, 0.0F, 1.5F);
            CHECK(clamped == free);
        });
    }
}

TEST_CASE("a float convolution is a constant expression") {
    constexpr float result = [] {
        const float input[] = {1, 2, 3, 4};
        const float weights[] = {0.5F, -1, 2, 1};
        const float bias[] = {0.25F};
        float output[1] = {};
        float packed[4 * 16] = {};
        constexpr convolution_shape shape{.in = {1, 1, 4}, .out = {1, 1, 1}};
        kernels::pack_weights<float>(weights, packed, shape);
        kernels::convolution({.input = input, .weights = packed, .bias = bias, .output = output}, shape);
        return output[0];
    }();
    static_assert(result == 8.75F);
    CHECK(result == 8.75F);
}
