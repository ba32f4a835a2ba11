// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/add.hpp>
#include <statiq/kernels/concat.hpp>
#include <statiq/kernels/convert.hpp>
#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/mean.hpp>

#include <doctest/doctest.h>

#include "../simd/archs.hpp"
#include "../support/own_schemes.hpp"
#include "support.hpp"
#include "vector_checks.hpp"
#include <array>
#include <cstdint>
#include <random>
#include <vector>

using namespace statiq;
namespace reference = kernels::reference;

static_assert(requantization_scheme<support::plain_shifting> && requantization_scheme<support::vector_shifting>);

TEST_CASE("a user's scheme is what its functions say") {
    using scheme = support::plain_shifting;
    // M = 0.1: its logarithm -3.32 is nearest to -3. 100 / 8 = 12.5 rounds up, -100 / 8 = -12.5 too.
    CHECK(scheme::apply(100, scheme::prepare(0.1)) == 13);
    CHECK(scheme::apply(-100, scheme::prepare(0.1)) == -12);
    // The mean of 4 + 5 + 6 + 6 at ratio 1: 21 / 4 = 5.25.
    CHECK(scheme::apply(21, scheme::prepare_mean(1, 4)) == 5);
    // 3 at a quarter of the common scale, 2^20 units to its step: 3 * 2^18.
    CHECK(scheme::align(3, scheme::prepare_align(0.25, 20), 20) == 3 * 262144);
}

TEST_CASE("vector convolutions take a user's scheme and its lanes") {
    convolution_cases::check_vectors<support::vector_shifting, std::uint8_t, std::int8_t, std::uint8_t>(
        72, 6, simd::arch_list<simd::native_arch>{});
}

/// Every instruction set computes what the definition does, in lanes of the scheme's own and without.
TEST_CASE_TEMPLATE("kernels take a user's scheme", Scheme, support::plain_shifting, support::vector_shifting) {
    std::mt19937 random(71);
    for (int round = 0; round < 100; ++round) {
        const int pixels = kernel_test::uniform(random, 1, 9);
        const int channels = kernel_test::uniform(random, 1, 200);
        const extents in{1, pixels, channels};
        const auto a = kernel_test::guarded_values<std::uint8_t>(random, in.size());
        const auto b = kernel_test::guarded_values<std::uint8_t>(random, in.size());
        const auto zero = [&] { return kernel_test::uniform(random, 0, 255); };
        const auto factor = [&] { return Scheme::prepare(kernel_test::uniform_real(random, 1e-3, 2)); };
        const auto check = [&](const auto& run_on, auto arguments, std::size_t size) {
            support::guarded_vector<std::uint8_t> expected(size), output(size);
            arguments.output = expected.data();
            run_on(arguments, simd::scalar{});
            for_each_arch(integer_archs{}, [&](auto arch) {
                arguments.output = output.data();
                run_on(arguments, arch);
                CHECK(output == expected);
            });
        };
        const std::array<float, 2> scales{kernel_test::random_scale(random, 0.01, 1),
                                          kernel_test::random_scale(random, 0.01, 1)};
        const auto factors = reference::prepare_add<Scheme>(scales, kernel_test::random_scale(random, 0.01, 1), 8);
        const std::array<reference::add_input<std::uint8_t, Scheme>, 2> inputs{
            {{a.data(), zero(), factors.inputs[0]}, {b.data(), zero(), factors.inputs[1]}}};
        check([](const auto& of, auto arch) { kernels::add(of, arch); },
              reference::add_arguments<std::uint8_t, std::uint8_t, Scheme>{.inputs = inputs,
                                                                           .size = in.size(),
                                                                           .left_shift = factors.left_shift,
                                                                           .factor = factors.output,
                                                                           .output_zero_point = zero()},
              in.size());
        check([](const auto& of, auto arch) { kernels::concat(of, arch); },
              reference::concat_arguments<std::uint8_t, std::uint8_t, Scheme>{.input = a.data(),
                                                                              .in = in,
                                                                              .input_zero_point = zero(),
                                                                              .factor = factor(),
                                                                              .output_zero_point = zero(),
                                                                              .channels = channels + 3,
                                                                              .first_channel = 2},
              static_cast<std::size_t>(pixels * (channels + 3)));
        check([](const auto& of, auto arch) { kernels::mean(of, arch); },
              reference::mean_arguments<std::uint8_t, std::uint8_t, Scheme>{
                  .input = a.data(),
                  .in = in,
                  .input_zero_point = zero(),
                  .factor = Scheme::prepare_mean(kernel_test::uniform_real(random, 0.1, 2), pixels),
                  .output_zero_point = zero()},
              static_cast<std::size_t>(channels));
        check([](const auto& of, auto arch) { kernels::requantize<Scheme>(of, arch); },
              reference::requantize_arguments<std::uint8_t, std::uint8_t, Scheme>{.input = a.data(),
                                                                                  .size = in.size(),
                                                                                  .input_zero_point = zero(),
                                                                                  .factor = factor(),
                                                                                  .output_zero_point = zero()},
              in.size());
    }
}
