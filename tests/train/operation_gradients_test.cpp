// SPDX-License-Identifier: Apache-2.0
// Gradients of operations against their definitions: exact where these are multilinear, otherwise by differences.
#include <statiq/execute/float_network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/train/training_network.hpp>

#include <doctest/doctest.h>

#include "../extending/squareplus.hpp"
#include <array>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

using namespace statiq;

namespace {

/// Whole numbers, whose products and sums floats hold exactly.
std::vector<float> integers_of(std::mt19937& random, std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(static_cast<int>(random() % 9) - 4);
    return values;
}

/// The sum over outputs of g times y = a b is linear in each factor: the difference of one step is its derivative.
template <int Height, int Width, int Channels>
void check_multiply(unsigned seed, const extents& second) {
    std::mt19937 random(seed);
    node nodes[3];
    nodes[0].out = {Height, Width, Channels};
    nodes[1].out = second;
    node& n = nodes[2];
    n.facts = &facts_of<operations::multiply>;
    n.inputs = {0, 1};
    n.input_count = 2;
    n.in = n.out = nodes[0].out;
    std::array<std::vector<float>, 2> inputs{integers_of(random, nodes[0].out.size()),
                                             integers_of(random, second.size())};
    const std::vector<float> given = integers_of(random, n.out.size());
    const auto loss = [&] {
        std::vector<float> y(n.out.size());
        const float* tensors[] = {inputs[0].data(), inputs[1].data()};
        detail::compute_reals<operations::library>(nodes, n, tensors, {}, y.data(), {});
        float sum = 0;
        for (std::size_t i = 0; i < y.size(); ++i) sum += given[i] * y[i];
        return sum;
    };
    for (std::size_t k = 0; k < 2; ++k) {
        std::vector<float> gradient(inputs[k].size());
        detail::give_gradient<operations::library>(
            detail::gradient_call<float>{.nodes = nodes,
                                         .n = n,
                                         .k = k,
                                         .in = nodes[k].out,
                                         .inputs = {inputs[0].data(), inputs[1].data()},
                                         .output = nullptr,
                                         .output_gradient = given.data(),
                                         .gradient = gradient.data()});
        for (std::size_t i = 0; i < gradient.size(); ++i) {
            const float before = loss();
            inputs[k][i] += 1;
            CHECK(loss() - before == gradient[i]);
            inputs[k][i] -= 1;
        }
    }
}

/// |central difference - derivative| <= h^2 / 6 max |f'''| + rounding of f / h. With h = 2^-6 and third derivatives of
/// at most 4, 2e-4; with values up to 8, whose last place is 2^-21 and which calls of libm may miss by a few, 2e-4.
template <class F>
void check_function() {
    constexpr float h = 0x1p-6F;
    for (float x = -6.03125F; x < 6; x += 0.17578125F) {
        const double slope = (double{F{}(x + h)} - double{F{}(x - h)}) / (2 * double{h});
        CAPTURE(F::word);
        CAPTURE(x);
        CHECK(std::abs(slope - double{F{}.derivative(x)}) <= 4e-4);
    }
}

} // namespace

TEST_CASE("the gradient of a product is the other factor's, summed where a factor is repeated") {
    check_multiply<2, 3, 4>(191, {2, 3, 4});
    check_multiply<2, 3, 4>(192, {1, 1, 4});
    check_multiply<2, 3, 4>(193, {2, 3, 1});
    check_multiply<2, 3, 4>(194, {1, 1, 1});
}

TEST_CASE("functions have their derivatives") {
    check_function<functions::sigmoid>();
    check_function<functions::tanh>();
    check_function<functions::silu>();
    check_function<functions::gelu>();
    check_function<functions::softplus>();
    check_function<functions::mish>();
    check_function<own::squareplus>();
}

// Where two pieces meet there is no derivative: x = 0 and 3 are not among the points, and pieces are lines or e^x.
TEST_CASE("functions in pieces have the derivatives of their pieces") {
    check_function<functions::hard_sigmoid>();
    check_function<functions::hard_swish>();
    check_function<functions::elu>();
    check_function<functions::leaky_relu<0.125>>();
}

TEST_CASE("a network with functions and products of its own trains") {
    constexpr auto excite = multiply(identity, global_average_pool | pointwise<3> | own::squareplus_layer);
    struct net final : network<decltype(input<2, 2, 3> | excite | silu | flatten | dense<1>)> {};
    std::mt19937 random(195);
    auto initial = zero_parameters<net>();
    for (auto& layer : initial.layers)
        for (auto* values : {&layer.weight, &layer.bias})
            for (float& w : *values) w = std::uniform_real_distribution<float>(-1, 1)(random);
    std::vector<float> image(12);
    for (float& x : image) x = std::uniform_real_distribution<float>(-1, 1)(random);
    sequential here;
    training_network<net> training(initial, 1, here);
    training.forward(image);
    const float one = 1;
    training.backward(std::span(&one, 1));
    // The output's derivative with respect to each parameter, by differences of the float network (one seed).
    std::size_t checked = 0;
    for (const trainable& parameter : training.trainables())
        for (std::size_t i = 0; i < parameter.values.size(); ++i) {
            constexpr float h = 0x1p-6F;
            const auto output = [&](float step) {
                auto moved = initial;
                auto& layer = moved.layers[parameter.node];
                (parameter.role == parameter_role::weight ? layer.weight : layer.bias)[i] += step;
                float_network<net> network(moved);
                return double{network(image)[0]};
            };
            CHECK(std::abs((output(h) - output(-h)) / (2 * double{h}) - double{parameter.gradient[i]}) <= 1e-3);
            ++checked;
        }
    CHECK(checked == (3 * 3 + 3) + (12 + 1));
}
