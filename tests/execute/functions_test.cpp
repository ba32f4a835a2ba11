// SPDX-License-Identifier: Apache-2.0
// Functions by table in whole networks: their numbers, their integers, their files.
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/io/integers.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/simulate/simulated_network.hpp>

#include <doctest/doctest.h>

#include "../io/support.hpp"
#include "../support/random_parameters.hpp"
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

using namespace statiq;

namespace {

constexpr auto body =
    input<3, 3, 4> | named<"stem">(pointwise<6>) |
    multiply(named<"gate">(with_fixed_numbers(sigmoid)), named<"value">(with_fixed_numbers(statiq::tanh))) |
    hard_swish | leaky_relu<0.125> | flatten | named<"fc">(dense<3>) | sigmoid;
struct net final : network<decltype(body)> {};

using weight8 = quantized<8, symmetric, per_channel>;
template <class Activation>
using numbers = numbers_chosen<deployed<net>, weight8, Activation>;

template <class Q>
const affine& map_of(const quantized_parameters<Q>& integers, const char* name) {
    REQUIRE(find_node<Q>(name) >= 0);
    return integers[static_cast<std::size_t>(find_node<Q>(name))].output;
}

} // namespace

TEST_CASE("fixed output numbers are those that TensorFlow Lite asks for") {
    const auto sigmoid_of = [](auto type) { return functions::sigmoid::fixed_output(decltype(type)::format); };
    const auto tanh_of = [](auto type) { return functions::tanh::fixed_output(decltype(type)::format); };
    CHECK(sigmoid_of(quantized<8, asymmetric_signed>{}) == affine{1.0F / 256, -128});
    CHECK(sigmoid_of(quantized<8, asymmetric>{}) == affine{1.0F / 256, 0});
    CHECK(sigmoid_of(quantized<16, symmetric_full_range>{}) == affine{1.0F / 32768, 0});
    CHECK(tanh_of(quantized<8, asymmetric_signed>{}) == affine{1.0F / 128, 0});
    CHECK(tanh_of(quantized<8, asymmetric>{}) == affine{1.0F / 128, 128});
    CHECK(tanh_of(quantized<16, symmetric_full_range>{}) == affine{1.0F / 32768, 0});
    // Other widths by the same rule: 2^4 steps of [0, 1), 2^5 of [-1, 1).
    CHECK(sigmoid_of(quantized<4, asymmetric>{}) == affine{1.0F / 16, 0});
    CHECK(sigmoid_of(quantized<8, symmetric>{}) == affine{1.0F / 128, 0});
    CHECK(tanh_of(quantized<5, asymmetric>{}) == affine{1.0F / 16, 16});
}

TEST_CASE("a layer with fixed numbers does not ask what was calibrated, others do") {
    std::mt19937 random(401);
    const auto from = deploy(support::random_parameters<net>(random));
    const auto ranges = calibrate(from, support::random_inputs<net>(random, 10));
    auto others = ranges;
    for (const char* name : {"gate.sigmoid", "value.tanh"})
        others[static_cast<std::size_t>(find_node<deployed<net>>(name))] = {-123.0F, 456.0F};
    using q = numbers<quantized<8, asymmetric_signed>>;
    const auto integers = quantize_parameters<q>(from, ranges);
    const auto again = quantize_parameters<q>(from, others);
    CHECK(map_of(integers, "gate.sigmoid") == affine{1.0F / 256, -128});
    CHECK(map_of(integers, "value.tanh") == affine{1.0F / 128, 0});
    CHECK(map_of(integers, "sigmoid") != affine{1.0F / 256, -128});
    for (std::size_t i = 0; i < node_count<q>; ++i) CHECK(again[i].output == integers[i].output);
}

TEST_CASE("fixed numbers stand in no file") {
    std::mt19937 random(402);
    const io_test::temporary_folder folder;
    const auto from = deploy(support::random_parameters<net>(random));
    using q = numbers<quantized<8, asymmetric>>;
    const auto integers = quantize_parameters<q>(from, calibrate(from, support::random_inputs<net>(random, 10)));
    save_integers(folder.path() / "integers", integers);
    const auto file = io::read_safetensors(folder.path() / "integers");
    CHECK(file.contains("sigmoid.scale"));
    CHECK_FALSE(file.contains("gate.sigmoid.scale"));
    const auto read = load_integers<q>(folder.path() / "integers");
    for (std::size_t i = 0; i < node_count<q>; ++i) CHECK(read[i].output == integers[i].output);
}

namespace {

/// Integer execution against the simulated one, which may differ by a step where sums in float round differently.
template <class Q, class Scheme>
void compare(std::mt19937& random, const parameters<typename Q::source>& from,
             const node_ranges<typename Q::source>& ranges) {
    const auto integers = quantize_parameters<Q>(from, ranges);
    auto model = integer_model<Scheme>(integers);
    simulated_network<Q, Scheme> simulated(integers);
    const auto samples = support::random_inputs<Q>(random, 20);
    for (std::size_t s = 0; s < samples.size(); ++s) {
        const auto expected = simulated.run(samples[s]);
        const auto output = model(samples[s]);
        const double step = double{integers.layers.back().output.scale};
        for (std::size_t i = 0; i < output.size(); ++i)
            CHECK(std::abs(double{output[i]} - double{expected[i]}) <= 1.001 * step);
    }
}

constexpr auto plain_body = input<3, 3, 4> | named<"stem">(pointwise<6>) | with_fixed_numbers(statiq::tanh) | silu |
                            leaky_relu<0.125> | flatten | named<"fc">(dense<3>) | sigmoid;
struct plain final : network<decltype(plain_body)> {};

} // namespace

TEST_CASE_TEMPLATE("integers of functions are what the simulated network says, in every scheme", Scheme, gemmlowp,
                   single_rounding, float_multiplier) {
    std::mt19937 random(403);
    const auto from = deploy(support::random_parameters<net>(random));
    const auto ranges = calibrate(from, support::random_inputs<net>(random, 10));
    compare<numbers<quantized<8, asymmetric>>, Scheme>(random, from, ranges);
    compare<numbers<quantized<8, asymmetric_signed>>, Scheme>(random, from, ranges);
    compare<numbers<quantized<16, symmetric_full_range>>, Scheme>(random, from, ranges);

    const auto plain_from = deploy(support::random_parameters<plain>(random));
    const auto plain_ranges = calibrate(plain_from, support::random_inputs<plain>(random, 10));
    using twelve = numbers_chosen<deployed<plain>, weight8, quantized<12, asymmetric>>;
    compare<twelve, Scheme>(random, plain_from, plain_ranges);
    // From 16 bits to 8, and from 8 to 12.
    using mixed = numbers_chosen<deployed<plain>, weight8, quantized<8, asymmetric_signed>, weight8,
                                 for_layer<"stem", weight8, quantized<16, symmetric>>,
                                 for_layer<"silu", weight8, quantized<12, asymmetric>>>;
    compare<mixed, Scheme>(random, plain_from, plain_ranges);
}

TEST_CASE("functions of 16 bits cost a table of 513 entries, of 8 bits one of 256") {
    using wide = numbers_chosen<deployed<plain>, weight8, quantized<16, symmetric>>;
    using narrow = numbers_chosen<deployed<plain>, weight8, quantized<8, asymmetric>>;
    const auto size_of = []<class Q>(Q) {
        constexpr auto at = static_cast<std::size_t>(find_node<Q>("silu"));
        return Q::nodes[at].facts->table_size(Q::nodes[at], Q::nodes[at - 1].numbers.activation);
    };
    CHECK(size_of(wide{}) == 257); // floats: 513 * 2 = 1026 bytes
    CHECK(size_of(narrow{}) == 64);
}
