// SPDX-License-Identifier: Apache-2.0
#include <statiq/execute/integer_network.hpp>
#include <statiq/execute/scratch.hpp>
#include <statiq/networks/mobilenet_v1.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/plan/facts.hpp>
#include <statiq/tensor/aligned_vector.hpp>

#include <doctest/doctest.h>

#include "../support/refused.hpp"
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>

using namespace statiq;

namespace {

using activation = quantized<8, asymmetric>;
template <class Net, int Bits>
using numbers = numbers_chosen<deployed<Net>, quantized<Bits, symmetric, per_channel>, activation>;
using large = networks::mobilenet_v1<100, 224>;

/// Float layers between integer ones, and 12-bit ones, which run in reference code.
struct mixed final
    : network<decltype(input<6, 6, 64> | with<float32>(depthwise) |
                       with<quantized<8, symmetric, per_channel>, quantized<12, asymmetric>>(conv<64>(kernel<3>)))> {};

/// A scheme whose factors are larger than those of the library's.
struct wide_factors : float_multiplier {
    static constexpr int identifier = 99;
    struct factor {
        float value = 0;
        float padding[7] = {};
        [[maybe_unused]] friend constexpr bool operator==(const factor&, const factor&) = default;
    };
    static constexpr factor prepare(double multiplier) noexcept { return {float_multiplier::prepare(multiplier)}; }
    static constexpr std::int32_t apply(std::int32_t acc, factor by) noexcept {
        return float_multiplier::apply(acc, by.value);
    }
    static constexpr factor prepare_align(double ratio, int left) noexcept {
        return {float_multiplier::prepare_align(ratio, left)};
    }
    static constexpr std::int32_t align(std::int32_t value, factor by, int left) noexcept {
        return float_multiplier::align(value, by.value, left);
    }
    static constexpr factor prepare_mean(double ratio, std::int64_t count) noexcept {
        return {float_multiplier::prepare_mean(ratio, count)};
    }
};

template <class Q, class Scheme = float_multiplier>
constexpr bool adds_up = [] {
    using network_type = integer_network<Q, Scheme>;
    constexpr std::size_t one = network_type::arena_size - arena_bytes<Q>;
    return network_type::arena_size == network_type::arena_size_for(1) &&
           network_type::arena_size_for(5) == arena_bytes<Q> + 5 * one && one % arena_alignment == 0 &&
           (std::is_same_v<Scheme, float_multiplier> ? one == scratch_bytes<Q> : one >= scratch_bytes<Q>);
}();

} // namespace

TEST_CASE("an arena is activations, and scratch memory for every thread") {
    static_assert(adds_up<numbers<large, 8>>);
    static_assert(adds_up<numbers<large, 4>>);
    static_assert(adds_up<numbers<mixed, 8>>);
    static_assert(adds_up<numbers<large, 8>, wide_factors>);
    CHECK(arena_bytes<numbers<large, 8>> == 112 * 112 * (32 + 64));
}

TEST_CASE("what a network's largest layer needs is its scratch memory") {
    if (!simd::has_vector_kernels) {
        CHECK(scratch_bytes<numbers<large, 8>> == 0);
        CHECK(scratch_bytes<numbers<large, 4>> == 0);
        CHECK(scratch_bytes<numbers<mixed, 8>> == 0);
        return;
    }
    // The first layer: an image of 4096 values with its padding, of some of its rows; twelve windows of 27 values, each
    // a line; 4096 words of input masks.
    CHECK(scratch_bytes<numbers<large, 8>> == 4096 + 12 * 64 + 4096 * 8);
    // The last layers: a panel of 64 outputs for 1024 inputs.
    CHECK(scratch_bytes<numbers<large, 4>> == 64 * 1024);
    // Weights of 7 bits need no input masks, so depthwise layers need most: four blocks of 320 bytes and 64 channels,
    // each with 3 columns of 4 rows in 16 bits and a sum, twice, a sign and a factor.
    CHECK(scratch_bytes<numbers<large, 7>> == 4 * (320 + 64 * (2 * (3 * 4 * 2 + 4) + 4 + 8)));
    // A factor of 32 bytes instead of 8, for each of 256 channels; 4-bit weights have none in their panels.
    using with_wide_factors = integer_network<numbers<large, 7>, wide_factors>;
    CHECK(with_wide_factors::arena_size - integer_network<numbers<large, 7>>::arena_size == 256 * 24);
}

TEST_CASE("an arena is measured for all threads that it is for") {
    using network_type = integer_network<numbers<mixed, 8>>;
    const auto parameters = std::make_unique<network_type::parameters_type>();
    aligned_vector<std::uint8_t> memory(network_type::arena_size_for(3));
    const auto on = [&](std::size_t bytes, std::size_t threads) {
        return support::refusal_of([&] { network_type(*parameters, std::span(memory).first(bytes), threads); });
    };
    CHECK(on(memory.size(), 3) == "");
    CHECK(on(network_type::arena_size, 1) == "");
    if (network_type::arena_size == memory.size()) return; // scalar kernels need no scratch memory
    CHECK(on(memory.size() - 1, 3) == "statiq: integer_network: bytes of an arena for its threads: expected " +
                                          std::to_string(memory.size()) + " or more, found " +
                                          std::to_string(memory.size() - 1) + "\n");
}
