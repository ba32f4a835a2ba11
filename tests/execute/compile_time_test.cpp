// SPDX-License-Identifier: Apache-2.0
#include <statiq/execute/integer_network.hpp>
#include <statiq/execute/prepare.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include "tiny_digits.hpp"
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

using namespace statiq;

namespace {

struct classifier final : network<decltype(input<8, 8, 1> | conv<6>(kernel<3>, stride<2>) | relu |
                                           conv<8>(kernel<3>, stride<2>) | relu | flatten | dense<10>)> {};
using numbers = numbers_chosen<deployed<classifier>, quantized<8, symmetric, per_channel>, quantized<8, asymmetric>>;

/// The network's integers as they stand in the header.
constexpr quantized_layers<numbers> layers = [] {
    using namespace tiny_digits;
    quantized_layers<numbers> made;
    made[0] = {.output = input_map};
    made[1] = {.output = first_map, .weight = first_weight, .weight_map = first_weight_map, .bias = first_bias};
    made[2] = {.output = second_map, .weight = second_weight, .weight_map = second_weight_map, .bias = second_bias};
    made[3] = {.output = second_map}; // flatten
    made[4] = {.output = head_map, .weight = head_weight, .weight_map = head_weight_map, .bias = head_bias};
    return made;
}();

template <class Scheme>
constexpr integer_parameters<numbers, Scheme> packed = [] {
    integer_parameters<numbers, Scheme> made;
    prepare(layers, made);
    return made;
}();

using scores = std::array<std::uint8_t, 10>;

template <class Scheme>
constexpr scores run(std::size_t image) {
    alignas(arena_alignment) std::array<std::uint8_t, integer_network<numbers, Scheme>::arena_size> arena{};
    integer_network<numbers, Scheme> network(packed<Scheme>, arena);
    const auto output = network.run(std::span(tiny_digits::images).subspan(64 * image, 64));
    scores result{};
    std::copy(output.begin(), output.end(), result.begin());
    return result;
}

constexpr int best_class(const scores& of) {
    return static_cast<int>(std::max_element(of.begin(), of.end()) - of.begin());
}

constexpr scores expected(std::size_t image) {
    scores result{};
    std::copy_n(tiny_digits::outputs.begin() + static_cast<std::ptrdiff_t>(10 * image), 10, result.begin());
    return result;
}

// The compiler reads digits: a 3, a 4, a 2.
static_assert(best_class(run<float_multiplier>(0)) == 3 && tiny_digits::labels[0] == 3);
static_assert(best_class(run<gemmlowp>(1)) == 4 && tiny_digits::labels[1] == 4);
static_assert(best_class(run<single_rounding>(2)) == 2 && tiny_digits::labels[2] == 2);

// And to the last bit what NumPy computed.
constexpr scores computed_by_the_compiler = run<float_multiplier>(3);
static_assert(computed_by_the_compiler == expected(3));

template <class Scheme>
constexpr scores third_by_the_compiler = run<Scheme>(2);

} // namespace

TEST_CASE("ten digits: the integers NumPy computed, each recognised") {
    for (std::size_t image = 0; image < 10; ++image) {
        CAPTURE(image);
        CHECK(run<float_multiplier>(image) == expected(image));
        CHECK(best_class(expected(image)) == tiny_digits::labels[image]);
        for (const scores& other : {run<gemmlowp>(image), run<single_rounding>(image)})
            CHECK(best_class(other) == tiny_digits::labels[image]);
    }
}

TEST_CASE("the program computes, in vectors, the bits the compiler computed") {
    CHECK(run<float_multiplier>(3) == computed_by_the_compiler);
    CHECK(run<float_multiplier>(2) == third_by_the_compiler<float_multiplier>);
    CHECK(run<gemmlowp>(2) == third_by_the_compiler<gemmlowp>);
    CHECK(run<single_rounding>(2) == third_by_the_compiler<single_rounding>);
}
