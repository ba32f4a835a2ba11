// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/repvgg.hpp>
#include <statiq/passes/fold_batch_norm.hpp>
#include <statiq/train/custom_l2.hpp>

#include <doctest/doctest.h>

#include "../support/random_parameters.hpp"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

using namespace statiq;

namespace {

struct block_kernels {
    convolution_shape shape;
    std::vector<double> square;
    std::vector<double> point;
    std::vector<double> square_scale;
    std::vector<double> point_scale;

    block_kernels(std::mt19937& random, int in, int out, int groups, int kernel)
        : shape{{4, 4, in}, {4, 4, out}, {.kernel_height = kernel, .kernel_width = kernel}, groups},
          square(shape.weight_count()), point(square.size() / static_cast<std::size_t>(kernel * kernel)),
          square_scale(static_cast<std::size_t>(out)), point_scale(static_cast<std::size_t>(out)) {
        for (auto* values : {&square, &point, &square_scale, &point_scale})
            for (double& value : *values) value = std::uniform_real_distribution<double>(-2, 2)(random);
    }
    [[nodiscard]] branch_kernels<double> view() const { return {shape, square, point, square_scale, point_scale}; }
};

/// The gradient of a quadratic function is its central difference, up to roundings: 2^-53 of the value over the step.
void check_gradient(block_kernels& of, kernel_penalty kind) {
    const auto at = custom_l2(of.view(), kind);
    REQUIRE(at.square.size() == of.square.size());
    REQUIRE(at.point.size() == of.point.size());
    constexpr double step = 0x1p-10;
    const double tolerance = 16 * std::abs(at.value) * static_cast<double>(of.square.size()) * 0x1p-53 / step;
    const auto check = [&](std::vector<double>& values, const std::vector<double>& gradient) {
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double kept = values[i];
            values[i] = kept + step;
            const double above = custom_l2(of.view(), kind).value;
            values[i] = kept - step;
            const double below = custom_l2(of.view(), kind).value;
            values[i] = kept;
            if (!(std::abs((above - below) / (2 * step) - gradient[i]) <= tolerance)) ++wrong;
        }
        CHECK(wrong == 0);
    };
    check(of.square, at.square);
    check(of.point, at.point);
}

} // namespace

TEST_CASE("the gradients are the derivatives") {
    std::mt19937 random(101);
    for (const auto kind : {kernel_penalty::divided, kernel_penalty::undivided})
        for (const int groups : {1, 2, 6})
            for (const int kernel : {3, 5}) {
                block_kernels some(random, 6, 6, groups, kernel); // six groups: depthwise
                check_gradient(some, kind);
                block_kernels wide(random, 6, 12, groups == 6 ? 3 : groups, kernel);
                check_gradient(wide, kind);
            }
}

TEST_CASE("P4 (5) and (6), written out for one weight of each") {
    // K3 with centre 2 and a ring of eight ones, K1 = 3, t3 = 0.5, t1 = 2: (1 + 6)^2 = 49 over 4.25.
    const std::vector<double> square{1, 1, 1, 1, 2, 1, 1, 1, 1};
    const std::vector<double> point{3};
    const std::vector<double> t3{0.5};
    const std::vector<double> t1{2};
    const branch_kernels<double> block{
        {{1, 1, 1}, {1, 1, 1}, {.kernel_height = 3, .kernel_width = 3}, 1}, square, point, t3, t1};
    const auto divided = custom_l2(block, kernel_penalty::divided);
    CHECK(divided.value == doctest::Approx(8 + 49 / 4.25));
    CHECK(divided.square[0] == 2);
    CHECK(divided.square[4] == doctest::Approx(2 * 7 * 0.5 / 4.25));
    CHECK(divided.point[0] == doctest::Approx(2 * 7 * 2 / 4.25));
    const auto undivided = custom_l2(block, kernel_penalty::undivided);
    CHECK(undivided.value == doctest::Approx(8 + 49));
    CHECK(undivided.point[0] == doctest::Approx(2 * 7 * 2));
}

TEST_CASE("larger factors lower the divided penalty's centre no further, and raise the undivided one's") {
    // Both factors times s: the merged centre grows by s. Divided, nothing changes: that is how activations' variance
    // may grow unpunished (P4 section 3.1); undivided, the centre's term grows by s^2.
    std::mt19937 random(102);
    block_kernels block(random, 4, 4, 1, 3);
    const double divided = custom_l2(block.view(), kernel_penalty::divided).value;
    const double undivided = custom_l2(block.view(), kernel_penalty::undivided).value;
    double ring = 0;
    for (int o = 0; o < 4; ++o)
        for (int tap = 0; tap < 9; ++tap)
            for (int c = 0; c < 4 && tap != 4; ++c)
                ring += std::pow(block.square[block.shape.weight_index(o, tap, c)], 2);
    for (auto* scale : {&block.square_scale, &block.point_scale})
        for (double& t : *scale) t *= 8;
    CHECK(custom_l2(block.view(), kernel_penalty::divided).value == doctest::Approx(divided));
    CHECK(custom_l2(block.view(), kernel_penalty::undivided).value == doctest::Approx(ring + 64 * (undivided - ring)));
}

TEST_CASE("a dead channel has no centre") {
    std::mt19937 random(103);
    block_kernels block(random, 2, 2, 1, 3);
    block.square_scale[1] = block.point_scale[1] = 0;
    const auto penalty = custom_l2(block.view(), kernel_penalty::divided);
    CHECK(std::isfinite(penalty.value));
    CHECK(penalty.point[2] == 0);
    CHECK(penalty.point[3] == 0);
}

TEST_CASE("the penalty of a network is that of its blocks") {
    std::mt19937 random(104);
    using net = networks::repvgg_small<>;
    auto at = support::random_parameters<net>(random, support::dead_channels::none);
    parameters<net> gradient = zero_parameters<net>();
    for (layer_parameters& layer : gradient.layers) layer.gamma.assign(layer.gamma.size(), 0.0F);
    const auto trainables = list_trainables(net::nodes, at.layers, gradient.layers);
    const auto states = list_moving_statistics(net::nodes, at.layers);
    const double total = custom_l2_penalty{net::nodes, 1.0}(trainables, states);
    const trainable_choice chosen = is_branch_kernel(net::nodes);
    double sum = 0;
    int blocks = 0;
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < node_count<net>; ++i) {
        const node& n = net::nodes[i];
        if (!n.is<operations::convolution>() || n.over.taps() == 1) continue;
        ++blocks;
        // dense3x3, its norm, conv1x1, its norm stand one after another.
        const auto scale = [&](std::size_t norm) { return batch_norm_scale(at[norm], net::nodes[norm].epsilon); };
        const std::vector<double> square(at[i].weight.begin(), at[i].weight.end());
        const std::vector<double> point(at[i + 2].weight.begin(), at[i + 2].weight.end());
        const auto t3 = scale(i + 1);
        const auto t1 = scale(i + 3);
        const auto one = custom_l2<double>({n.convolution(), square, point, t3, t1}, kernel_penalty::divided);
        sum += 0.5 * one.value;
        for (std::size_t w = 0; w < square.size(); ++w)
            wrong += gradient[i].weight[w] != static_cast<float>(0.5 * one.square[w]);
        for (std::size_t w = 0; w < point.size(); ++w)
            wrong += gradient[i + 2].weight[w] != static_cast<float>(0.5 * one.point[w]);
        for (const std::size_t norm : {i + 1, i + 3})
            for (const float g : gradient[norm].gamma) wrong += g != 0;
        for (const trainable& tensor : trainables)
            if (tensor.node == i || tensor.node == i + 2) wrong += !chosen(tensor);
    }
    CHECK(wrong == 0);
    CHECK(blocks == 8);
    CHECK(total == doctest::Approx(sum));
    CHECK(std::ranges::count_if(trainables, chosen) == 16); // fc and the batch norms are left to other penalties

    using qa = networks::repvgg_small<networks::qarepvgg_blocks>;
    auto other = support::random_parameters<qa>(random);
    parameters<qa> none = zero_parameters<qa>();
    const auto others = list_trainables(qa::nodes, other.layers, none.layers);
    CHECK(custom_l2_penalty{qa::nodes, 1.0}(others, list_moving_statistics(qa::nodes, other.layers)) == 0);
    CHECK(std::ranges::none_of(others, is_branch_kernel(qa::nodes)));
}
