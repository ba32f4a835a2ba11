// SPDX-License-Identifier: Apache-2.0
#include <statiq/io/safetensors.hpp>
#include <statiq/train/optimizer.hpp>
#include <statiq/train/penalties.hpp>
#include <statiq/train/weight_average.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using namespace statiq;

namespace {

/// Follows a rule in double along recorded gradients. PyTorch's own sums are in double as well and in another order of
/// operations: a few roundings a step, of values that are at most `largest`.
template <class Rule>
void check_against_pytorch(const std::string& name, const Rule& rule) {
    const io::safetensors file =
        io::read_safetensors(std::filesystem::path(STATIQ_SOURCE_DIR) / "tests/train/optimizers.safetensors");
    const auto start = file.at("start").values<double>();
    const auto gradients = file.at("gradients").values<double>();
    const auto rates = file.at("rates").values<double>();
    const auto expected = file.at(name).values<double>();
    const std::size_t size = start.size();
    REQUIRE(expected.size() == rates.size() * size);
    std::vector<double> values(start.begin(), start.end());
    std::array<std::vector<double>, Rule::memory.size()> memory;
    std::array<std::span<double>, Rule::memory.size()> kept;
    for (std::size_t k = 0; k < memory.size(); ++k) {
        memory[k].resize(size);
        kept[k] = memory[k];
    }
    double largest = 0;
    for (const double value : expected) largest = std::max(largest, std::abs(value));
    std::size_t wrong = 0;
    for (std::size_t step = 0; step < rates.size(); ++step) {
        rule.template update<double>(values, gradients.subspan(step * size, size), kept, rates[step], step);
        const double tolerance = 32 * static_cast<double>(step + 1) * largest * 0x1p-53;
        for (std::size_t i = 0; i < size; ++i) wrong += !(std::abs(values[i] - expected[step * size + i]) <= tolerance);
    }
    CHECK(wrong == 0);
}

/// Two tensors and their gradients.
struct tensors {
    std::vector<float> weight{1, -2, 0.5F};
    std::vector<float> bias{3};
    std::vector<float> weight_gradient{0.25F, 0, -1};
    std::vector<float> bias_gradient{2};
    [[nodiscard]] std::vector<trainable> list() {
        return {{"conv", 1, parameter_role::weight, false, weight, weight_gradient},
                {"dw", 2, parameter_role::bias, true, bias, bias_gradient}};
    }
};

} // namespace

TEST_CASE("SGD and Adam take PyTorch's steps") {
    check_against_pytorch("sgd", sgd{.momentum = 0});
    check_against_pytorch("momentum", sgd{});
    check_against_pytorch("nesterov", sgd{.momentum = 0.8, .nesterov = true});
    check_against_pytorch("adam", adam{});
    check_against_pytorch("adam_fast", adam{.first_decay = 0.5, .second_decay = 0.9, .epsilon = 1e-3});
}

TEST_CASE("an optimizer moves every tensor by its rule and remembers each tensor's own numbers") {
    tensors some;
    const auto list = some.list();
    optimizer moving(sgd{.momentum = 0.5}, list);
    moving.step(list, 0.5);
    CHECK(some.weight == std::vector<float>{0.875F, -2, 1});
    CHECK(some.bias == std::vector<float>{2});
    moving.step(list, 0.5); // velocities are 1.5 gradients now
    CHECK(some.weight == std::vector<float>{0.6875F, -2, 1.75F});
    CHECK(some.bias == std::vector<float>{0.5F});
    CHECK(moving.memory(0)[0] == std::vector<float>{0.375F, 0, -1.5F});
    CHECK(moving.steps() == 2);
    CHECK(moving.memory_names().size() == 1);
    CHECK(optimizer(adam{}, list).memory_names().size() == 2);
    CHECK_THROWS_AS(moving.step(std::span(list).first(1), 0.5), std::invalid_argument);
}

TEST_CASE("Adam's first step is the rate, whatever the gradient's size") {
    tensors some;
    const auto list = some.list();
    optimizer moving(adam{.epsilon = 0}, list);
    some.weight_gradient = {1e-6F, 7, -1e4F};
    moving.step(list, 0.125);
    CHECK(some.weight[0] == doctest::Approx(0.875F));
    CHECK(some.weight[1] == doctest::Approx(-2.125F));
    CHECK(some.weight[2] == doctest::Approx(0.625F));
}

TEST_CASE("a penalty changes the gradients of what it is about, and of nothing else") {
    tensors some;
    auto list = some.list();
    CHECK(l2_penalty{.decay = 0.5}(list, {}) == 0.25 * (1 + 4 + 0.25));
    CHECK(some.weight_gradient == std::vector<float>{0.75F, -1, -0.75F});
    CHECK(some.bias_gradient == std::vector<float>{2});

    CHECK(l2_penalty{.decay = 0.5, .of = is_depthwise_weight}(list, {}) == 0);
    list[0].depthwise = true;
    CHECK(l2_penalty{.decay = 0.5, .of = is_depthwise_weight}(list, {}) == 0.25 * 5.25);
    CHECK(l2_penalty{.decay = 0.5, .of = outside({"fc", "conv"}, is_weight)}(list, {}) == 0);
    const auto all = [](const trainable&) { return true; };
    CHECK(l2_penalty{.decay = 2, .of = outside({"conv"}, all)}(list, {}) == 9);
    CHECK(some.bias_gradient == std::vector<float>{8});
}

TEST_CASE("an average of weights follows them and changes places with them") {
    tensors some;
    const auto list = some.list();
    weight_average average(0.75, list);
    some.weight = {5, -2, 0.5F};
    average.add(list);
    CHECK(average.averages()[0] == std::vector<float>{2, -2, 0.5F});
    average.exchange(list);
    CHECK(some.weight == std::vector<float>{2, -2, 0.5F});
    average.exchange(list);
    CHECK(some.weight == std::vector<float>{5, -2, 0.5F});

    // Of weights that stand still the average comes closer by a factor a step: 4 * 0.75^n.
    some.weight[0] = 6;
    for (int n = 0; n < 10; ++n) average.add(list);
    CHECK(average.averages()[0][0] == doctest::Approx(6 - 4 * std::pow(0.75, 10)));
}
