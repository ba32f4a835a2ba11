// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/weights/sub_byte.hpp>

#include <doctest/doctest.h>

#include "scratch_checks.hpp"
#include "vector_checks.hpp"
#include <array>
#include <cstddef>
#include <cstdint>
#include <typeinfo>
#include <vector>

using namespace convolution_cases;
namespace kernels = statiq::kernels;

namespace {

template <int Bits>
void check_access() {
    using weight = kernels::sub_byte<Bits>;
    constexpr int lowest = -(1 << (Bits - 1)), highest = (1 << (Bits - 1)) - 1;
    constexpr std::size_t values = 37, bytes = (values * Bits + 7) / 8;
    static_assert(kernels::stored_weight_count<weight>(values) == bytes);
    std::array<std::int8_t, bytes> memory{};
    memory.fill(77);
    kernels::clear_weights<weight>(memory.data(), values);
    for (std::size_t i = 0; i < values; ++i) CHECK(kernels::weight_at<weight>(memory.data(), i) == 0);

    generator random(1);
    std::array<int, values> written{};
    for (int trial = 0; trial < 500; ++trial) {
        const auto at = static_cast<std::size_t>(draw(random, 0, values - 1));
        written[at] = draw(random, lowest, highest);
        kernels::set_weight<weight>(memory.data(), at, written[at]);
        bool same = true;
        for (std::size_t i = 0; i < values; ++i)
            same = same && kernels::weight_at<weight>(memory.data(), i) == written[i];
        CHECK(same);
    }
}

/// The same integers packed as bytes, and several to a byte, on every instruction set.
template <int Bits, class In, int PairSums>
void check_convolutions(unsigned seed, int trials, const auto& next_shape) {
    constexpr int highest = (1 << (Bits - 1)) - 1;
    generator random(seed);
    for (int trial = 0; trial < trials; ++trial) {
        const convolution_shape shape = next_shape(random, trial);
        generator of_operands(seed + static_cast<unsigned>(trial)), again = of_operands;
        const bool zero_points = trial % 2 == 0;
        const integer_case<statiq::float_multiplier, In, std::int8_t, std::uint8_t> whole(of_operands, shape,
                                                                                          zero_points, highest);
        const integer_case<statiq::float_multiplier, In, std::int8_t, std::uint8_t, kernels::sub_byte<Bits>> shared(
            again, shape, zero_points, highest);
        INFO(describe(shape), ", ", Bits, " bits");
        CHECK(shared.corrected == whole.corrected);
        auto expected = whole.empty_output();
        kernels::reference::convolution(whole.args(expected), shape);
        auto defined = shared.empty_output();
        kernels::reference::convolution(shared.args(defined), shape);
        CHECK(defined == expected);
        for_each_arch(integer_archs{}, [&](auto arch) {
            INFO(typeid(arch).name());
            auto output = shared.empty_output();
            kernels::convolution<PairSums>(shared.args(output), shape, arch);
            CHECK(output == expected);
        });
    }
}

convolution_shape any_shape(generator& random, int trial) {
    constexpr std::array kinds{kind::any, kind::pointwise, kind::depthwise, kind::dense};
    return random_shape(random, kinds[static_cast<std::size_t>(trial) % kinds.size()], 150);
}

/// Reductions around those at which panels become narrower, and at which there are none.
convolution_shape long_sums(generator& random, int trial) {
    constexpr std::array lengths{127, 512, 513, 1023, 1025, 2049, 4097, 5120, 5121};
    const int inputs = lengths[static_cast<std::size_t>(trial) % lengths.size()];
    const int width = draw(random, 1, 9);
    return {.in = {1, width, inputs}, .out = {1, width, draw(random, 1, 150)}};
}

} // namespace

TEST_CASE("weights that share bytes are read as written, one by one") {
    check_access<2>();
    check_access<4>();
}

TEST_CASE("what is not a few bits wide lies in memory as it is") {
    static_assert(kernels::stored_weight_count<std::int8_t>(5) == 5);
    static_assert(kernels::stored_weight_count<float>(5) == 5);
    static_assert(!kernels::is_sub_byte<std::int16_t> && kernels::is_sub_byte<kernels::sub_byte<2>>);
    const std::array<std::int16_t, 2> words{-300, 300};
    CHECK(kernels::weight_at<std::int16_t>(words.data(), 1) == 300);
}

TEST_CASE("convolutions of weights that share bytes have the bits of those of bytes") {
    check_convolutions<4, std::uint8_t, 0>(51, 200, any_shape);
    check_convolutions<2, std::uint8_t, 0>(52, 200, any_shape);
    check_convolutions<4, std::int8_t, 0>(53, 100, any_shape);
    check_convolutions<2, std::int8_t, 0>(54, 100, any_shape);
}

TEST_CASE("the same where products are known to be narrow") {
    check_convolutions<4, std::uint8_t, 8>(55, 100, any_shape);
    check_convolutions<2, std::uint8_t, 8>(56, 100, any_shape);
}

TEST_CASE("the same for long sums, whose panels are narrower") {
    check_convolutions<4, std::uint8_t, 8>(57, 36, long_sums);
}

TEST_CASE("beside 16-bit inputs they lie in natural order") {
    generator random(58);
    for (int trial = 0; trial < 40; ++trial) {
        const convolution_shape shape = any_shape(random, trial);
        generator of_operands(58 + static_cast<unsigned>(trial)), again = of_operands;
        const integer_case<statiq::gemmlowp, std::int16_t, std::int8_t, std::int16_t> whole(of_operands, shape, false,
                                                                                            7);
        const integer_case<statiq::gemmlowp, std::int16_t, std::int8_t, std::int16_t, kernels::sub_byte<4>> shared(
            again, shape, false, 7);
        auto expected = whole.empty_output(), output = shared.empty_output();
        kernels::reference::convolution(whole.args(expected), shape);
        kernels::convolution(shared.args(output), shape);
        CHECK(output == expected);
    }
}

#ifndef STATIQ_NO_SIMD
TEST_CASE("the scratch memory that kernels need is what they use: weights of four bits") {
    check_scratch_needs<statiq::float_multiplier, kernels::sub_byte<4>>(77, 300, 7, integer_archs{});
}
#endif
