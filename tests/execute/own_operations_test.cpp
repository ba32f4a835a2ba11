// SPDX-License-Identifier: Apache-2.0
// Operations of a program's own go everywhere the library's go. Expected values come from their definitions in double.
#include <statiq/analyze/summary.hpp>
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/float_network.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/io/integers.hpp>
#include <statiq/io/parameters.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/simulate/float_simulation.hpp>
#include <statiq/simulate/simulated_network.hpp>

#include <doctest/doctest.h>

#include "../extending/mix.hpp"
#include "../extending/squareplus.hpp"
#include "../io/support.hpp"
#include "../support/refused.hpp"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

using namespace statiq;

namespace {

constexpr auto body = input<3, 4, 5> | named<"mixed">(own::mixed(own::squareplus_layer, relu | pointwise<5>)) |
                      own::squareplus_layer | flatten | named<"fc">(dense<3>);
struct net final : network<decltype(body)> {};

using weight8 = quantized<8, symmetric, per_channel>;
using byte = quantized<8, asymmetric>;
using samples = std::vector<std::vector<float>>;

parameters<net> random_parameters(std::mt19937& random) {
    auto made = zero_parameters<net>();
    std::uniform_real_distribution<float> any(-1, 1);
    for (auto& layer : made.layers) {
        for (float& w : layer.weight) w = any(random);
        for (float& b : layer.bias) b = any(random);
    }
    return made;
}
samples random_samples(std::mt19937& random, std::size_t count) {
    samples made(count, std::vector<float>(3 * 4 * 5));
    for (auto& sample : made)
        for (float& x : sample) x = std::uniform_real_distribution<float>(-3, 3)(random);
    return made;
}
constexpr std::size_t mix_at = static_cast<std::size_t>(find_node<deployed<net>>("mixed.mix"));

} // namespace

TEST_CASE("a network collects its operations, those of the library and others") {
    static_assert(
        std::is_same_v<operations_of<net>,
                       operation_list<operations::input, operations::elementwise<own::squareplus>, operations::clamp,
                                      operations::convolution, own::mix, operations::reshape, operations::dense>>);
    static_assert(net::nodes[4].is<own::mix>() && net::nodes[4].name.view() == "mixed.mix");
    static_assert(net::nodes[1].name.view() == "mixed.squareplus");
    CHECK(summary<net>().find("mix") != std::string::npos);
    CHECK(graphviz<net>().find("squareplus") != std::string::npos);
}

TEST_CASE("own operations in float: the definitions") {
    std::mt19937 random(171);
    const auto trained = random_parameters(random);
    const auto from = deploy(trained);
    float_network network(from);
    const auto image = random_samples(random, 1)[0];
    std::vector<float> seen;
    network.run(image, [&](auto index, const float* values) {
        if (index == mix_at) seen.assign(values, values + 60);
    });
    const auto conv = static_cast<std::size_t>(find_node<deployed<net>>("mixed"));
    for (std::size_t pixel = 0; pixel < 12; ++pixel)
        for (std::size_t c = 0; c < 5; ++c) {
            const double x = double{image[pixel * 5 + c]};
            const double a = 0.5 * (x + std::sqrt(x * x + 4));
            double b = double{from[conv].bias[c]};
            for (std::size_t k = 0; k < 5; ++k)
                b += double{from[conv].weight[c * 5 + k]} * std::max(0.0, double{image[pixel * 5 + k]});
            const double w = double{from[mix_at].weight[c]};
            CHECK(double{seen[pixel * 5 + c]} == doctest::Approx(w * a + (1 - w) * b).epsilon(1e-5));
        }
}

TEST_CASE("own operations in integers: what the simulated network says, and near the reals") {
    std::mt19937 random(172);
    const auto from = deploy(random_parameters(random));
    const auto calibration = random_samples(random, 40);
    const auto ranges = calibrate(from, calibration);
    using q = numbers_chosen<deployed<net>, weight8, byte>;
    const auto integers = quantize_parameters<q>(from, ranges);
    auto model = quantize<weight8, byte>(from, ranges);
    simulated_network<q> simulated(integers);
    constexpr auto mix_node = static_cast<std::size_t>(find_node<q>("mixed.mix"));
    constexpr const node& n = q::nodes[mix_node];
    const auto& mixed = integers[mix_node];
    for (const auto& image : random_samples(random, 20)) {
        const auto output = model(image);
        std::vector<std::vector<float>> seen;
        const auto expected = simulated.run(image, [&](auto index, const float* values) {
            seen.emplace_back(values, values + q::nodes[index].out.size());
        });
        const double step = double{integers.layers.back().output.scale};
        for (std::size_t i = 0; i < 3; ++i) CHECK(std::abs(double{output[i]} - double{expected[i]}) <= 1.001 * step);
        // Half a step of rounding, and half of 2^-14 for each of two shares, which multiply up to 255 steps.
        const range ends = representable(mixed.output, n.numbers.activation);
        for (std::size_t i = 0; i < n.out.size(); ++i) {
            const double w = double{mixed.floating.weight[i % 5]};
            const double real = w * double{seen[static_cast<std::size_t>(n.inputs[0])][i]} +
                                (1 - w) * double{seen[static_cast<std::size_t>(n.inputs[1])][i]};
            const double bound = (0.5 + 2 * 255 * 0x1p-15) * double{mixed.output.scale} + 1e-6;
            CHECK(std::abs(double{seen[mix_node][i]} - std::clamp(real, double{ends.min}, double{ends.max})) <= bound);
        }
    }
}

TEST_CASE("own parameters in files: floats, and beside integers") {
    std::mt19937 random(173);
    const io_test::temporary_folder folder;
    const auto trained = random_parameters(random);
    save(folder.path() / "floats", trained);
    CHECK(load<net>(folder.path() / "floats") == trained);
    CHECK(io::read_safetensors(folder.path() / "floats").contains("mixed.mix.share"));

    const auto from = deploy(trained);
    const auto ranges = calibrate(from, random_samples(random, 10));
    using q = numbers_chosen<deployed<net>, weight8, byte>;
    const auto integers = quantize_parameters<q>(from, ranges);
    save_integers(folder.path() / "integers", integers);
    const auto read = load_integers<q>(folder.path() / "integers");
    for (std::size_t i = 0; i < node_count<q>; ++i) CHECK(read[i].floating == integers[i].floating);
}

TEST_CASE("squeeze and excite is a block like any other") {
    constexpr auto excite = multiply(identity, global_average_pool | pointwise<2> | relu | pointwise<5> | hard_sigmoid);
    struct squeezed final : network<decltype(input<3, 4, 5> | excite | hard_swish | flatten | dense<2>)> {};
    std::mt19937 random(174);
    auto trained = zero_parameters<squeezed>();
    for (auto& layer : trained.layers)
        for (auto* values : {&layer.weight, &layer.bias})
            for (float& w : *values) w = std::uniform_real_distribution<float>(-1, 1)(random);
    const auto from = deploy(trained);
    const auto ranges = calibrate(from, random_samples(random, 40));
    auto model = quantize<weight8, byte>(from, ranges);
    using q = numbers_chosen<deployed<squeezed>, weight8, byte>;
    const auto integers = quantize_parameters<q>(from, ranges);
    simulated_network<q> simulated(integers);
    for (const auto& image : random_samples(random, 20)) {
        const auto output = model(image);
        const auto expected = simulated(image);
        for (std::size_t i = 0; i < 2; ++i)
            CHECK(std::abs(double{output[i]} - double{expected[i]}) <=
                  1.001 * double{integers.layers.back().output.scale});
    }
}

TEST_CASE("experiments on data name the operation that they are not compiled for") {
    std::mt19937 random(175);
    const network_data data = as_data(deploy(random_parameters(random)));
    CHECK(support::refusal_of([&] { float_simulation(data); }) ==
          "statiq: simulation: operations of its list of layer 'mixed.squareplus': expected 1, found 0\n");
    CHECK(support::refusal_of([&] { float_simulation<execution_list<net>>(data); }).empty());
}

TEST_CASE("stored parameters of a function are those of no other of the same word") {
    struct gentle final : network<decltype(input<1, 1, 3> | leaky_relu<0.125>)> {};
    struct steep final : network<decltype(input<1, 1, 3> | leaky_relu<0.25>)> {};
    using small = numbers_chosen<deployed<gentle>, weight8, byte>;
    using other = numbers_chosen<deployed<steep>, weight8, byte>;
    const auto from = zero_parameters<deployed<gentle>>();
    const samples some{{-1.0F, 0.0F, 1.0F}};
    const auto model = quantize<weight8, byte>(from, calibrate(from, some));
    CHECK(parameters_from_bytes<small>(model.bytes()).refusal().defect == parameters_defect::none);
    CHECK(parameters_from_bytes<other>(model.bytes()).refusal().defect == parameters_defect::other_network);
}
