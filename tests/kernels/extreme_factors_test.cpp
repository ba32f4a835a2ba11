// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/add.hpp>
#include <statiq/kernels/concat.hpp>
#include <statiq/kernels/convert.hpp>
#include <statiq/kernels/mean.hpp>
#include <statiq/numeric/requantize.hpp>

#include <doctest/doctest.h>

#include "../simd/archs.hpp"
#include "../support/guarded.hpp"
#include "support.hpp"
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <type_traits>
#include <typeinfo>

// Vector kernels give the reference's bits for whatever factor a scheme prepares: of ratios of any two scales that are
// floats, and of those around every power of two on the way.

namespace kernels = statiq::kernels;
namespace reference = statiq::kernels::reference;
using namespace kernel_test;

namespace {

using In = std::uint8_t;
using Out = std::int8_t;

/// Any positive float, by its bits: all magnitudes are alike; now and then an end of the range.
float any_scale(std::mt19937& random) {
    switch (uniform(random, 0, 9)) {
    case 0:
        return std::numeric_limits<float>::denorm_min();
    case 1:
        return std::numeric_limits<float>::max();
    default:
        return std::bit_cast<float>(static_cast<std::uint32_t>(uniform(random, 1, 0x7f7fffff)));
    }
}
/// A ratio of scales: half of them any, half such that sums of bytes meet the ends of some output or of int32.
double any_ratio(std::mt19937& random) {
    if (uniform(random, 0, 1) == 0)
        return static_cast<double>(any_scale(random)) / static_cast<double>(any_scale(random));
    return std::exp2(uniform(random, -34, 33)) * (1 + std::ldexp(uniform(random, -2, 2), -24));
}

struct output_numbers {
    std::int32_t zero_point, lowest, highest;
    explicit output_numbers(std::mt19937& random) : zero_point(uniform(random, -128, 127)) {
        const int a = uniform(random, -128, 127), b = uniform(random, -128, 127);
        lowest = uniform(random, 0, 1) ? -128 : std::min(a, b);
        highest = uniform(random, 0, 1) ? 127 : std::max(a, b);
    }
};

/// run(output, kernel) with the reference and with the kernels of every instruction set: the same bits.
template <class Reference, class Kernel>
void check_same(std::size_t size, Reference by_reference, Kernel by_kernel) {
    support::guarded_vector<Out> expected(size, Out{77});
    by_reference(expected.data());
    for_each_arch([&](auto arch) {
        INFO(typeid(arch).name());
        support::guarded_vector<Out> output(size, Out{77});
        by_kernel(output.data(), arch);
        CHECK(output == expected);
    });
}

} // namespace

TEST_CASE_TEMPLATE("vector kernels give the reference's bits for every factor that is prepared", Scheme,
                   statiq::gemmlowp, statiq::single_rounding, statiq::float_multiplier) {
    std::mt19937 random(101);
    for (int trial = 0; trial < 400; ++trial) {
        const double ratio = any_ratio(random);
        CAPTURE(ratio);
        const output_numbers out(random);
        const auto zero_point = std::int32_t{random_zero_point<In>(random)};
        const statiq::extents in{uniform(random, 1, 5), uniform(random, 1, 5), uniform(random, 1, 40)};
        const auto input = guarded_values<In>(random, in.size()), other = guarded_values<In>(random, in.size());

        reference::requantize_arguments<In, Out, Scheme> converted{
            input.data(), in.size(), zero_point, Scheme::prepare(ratio), out.zero_point, out.lowest, out.highest};
        check_same(
            in.size(), [&](Out* to) { converted.output = to, reference::requantize<Scheme>(converted); },
            [&](Out* to, auto arch) { converted.output = to, kernels::requantize<Scheme>(converted, arch); });

        reference::concat_arguments<In, Out, Scheme> joined{
            input.data(),    in, zero_point, Scheme::prepare(ratio), out.zero_point, out.lowest, out.highest,
            in.channels + 3, 2};
        check_same(
            in.pixels() * static_cast<std::size_t>(in.channels + 3),
            [&](Out* to) { joined.output = to, reference::concat<Scheme>(joined); },
            [&](Out* to, auto arch) { joined.output = to, kernels::concat<Scheme>(joined, arch); });

        reference::mean_arguments<In, Out, Scheme> mean{
            input.data(),   in,         zero_point, Scheme::prepare_mean(ratio, static_cast<std::int64_t>(in.pixels())),
            out.zero_point, out.lowest, out.highest};
        check_same(
            static_cast<std::size_t>(in.channels), [&](Out* to) { mean.output = to, reference::mean<Scheme>(mean); },
            [&](Out* to, auto arch) { mean.output = to, kernels::mean<Scheme>(mean, arch); });

        const std::array<float, 2> scales{any_scale(random), any_scale(random)};
        const auto factors = reference::prepare_add<Scheme>(std::span<const float>(scales), any_scale(random), 8);
        const std::array<reference::add_input<In, Scheme>, 2> terms{
            {{input.data(), zero_point, factors.inputs[0]}, {other.data(), zero_point, factors.inputs[1]}}};
        reference::add_arguments<In, Out, Scheme> sum{terms,          in.size(),  factors.left_shift, factors.output,
                                                      out.zero_point, out.lowest, out.highest};
        check_same(
            in.size(), [&](Out* to) { sum.output = to, reference::add(sum); },
            [&](Out* to, auto arch) { sum.output = to, kernels::add(sum, arch); });
    }
}

#ifndef STATIQ_NO_SIMD

TEST_CASE_TEMPLATE("and for factors that differ from lane to lane, of every accumulator", Scheme, statiq::gemmlowp,
                   statiq::single_rounding, statiq::float_multiplier) {
    std::mt19937 random(102);
    constexpr std::int32_t least = std::numeric_limits<std::int32_t>::min();
    constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();
    constexpr std::int32_t ends[] = {least, least + 1, -1, 0, 1, most - 1, most};
    for_each_arch([&](auto arch) {
        using Arch = decltype(arch);
        using words = statiq::simd::batch<std::int32_t, Arch>;
        constexpr std::size_t lanes = words::size;
        INFO(typeid(arch).name());
        for (int trial = 0; trial < 4000; ++trial) {
            typename Scheme::factor factors[lanes];
            alignas(64) std::int32_t acc[lanes], scaled[lanes];
            for (auto& factor : factors) factor = Scheme::prepare(any_ratio(random));
            for (std::int32_t& sum : acc)
                sum = uniform(random, 0, 1) ? ends[uniform(random, 0, 6)]
                                            : static_cast<std::int32_t>(random()) >> uniform(random, 0, 31);
            kernels::vectorized::lane_factors<Scheme, lanes> prepared;
            prepared.set_first(factors, lanes);
            prepared.template apply<Arch>(words::load_aligned(acc), 0).store_aligned(scaled);
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                // Float saturates to 2^31 - 128 in vector registers: no output tells it from 2^31 - 1.
                const std::int32_t expected = Scheme::apply(acc[lane], factors[lane]);
                const std::int32_t last = std::is_same_v<Scheme, statiq::float_multiplier> ? most - 127 : most;
                CHECK(scaled[lane] == std::min(expected, last));
            }
        }
    });
}

#endif
