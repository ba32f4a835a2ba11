// SPDX-License-Identifier: Apache-2.0
// Parameters of a program's own operations train as the library's do, in float and through integers.
#include <statiq/execute/float_network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/simulate/simulated_network.hpp>
#include <statiq/threads/thread_pool.hpp>
#include <statiq/train/checkpoint.hpp>
#include <statiq/train/optimizer.hpp>
#include <statiq/train/penalties.hpp>
#include <statiq/train/quantized_training_network.hpp>
#include <statiq/train/training_network.hpp>
#include <statiq/train/weight_average.hpp>

#include <doctest/doctest.h>

#include "../io/support.hpp"
#include "mix.hpp"
#include "signs.hpp"
#include "squareplus.hpp"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

using namespace statiq;

namespace {

constexpr auto body = input<2, 3, 4> | named<"mixed">(own::mixed(own::squareplus_layer, pointwise<4>)) |
                      own::squareplus_layer | flatten | named<"fc">(dense<1>);
struct net final : network<decltype(body)> {};
using numbers = numbers_chosen<deployed<net>, quantized<8, symmetric, per_channel>, quantized<8, asymmetric>>;
constexpr auto mix_at = static_cast<std::size_t>(find_node<net>("mixed.mix"));
constexpr std::size_t inputs = 24;

std::vector<float> random_values(std::mt19937& random, std::size_t count) {
    std::vector<float> made(count);
    for (float& x : made) x = std::uniform_real_distribution<float>(-1, 1)(random);
    return made;
}
parameters<net> random_parameters(std::mt19937& random) {
    auto made = zero_parameters<net>();
    for (auto& layer : made.layers)
        for (auto* values : {&layer.weight, &layer.bias}) *values = random_values(random, values->size());
    return made;
}

/// One step down the loss sum (y - target)^2 / (2 samples). @return the loss before it
template <class Network>
double descend(Network& network, optimizer& by, std::span<const float> samples, std::span<const float> targets,
               double rate, weight_average* average = nullptr) {
    const auto outputs = network.forward(samples);
    std::vector<float> gradient(targets.size());
    double loss = 0;
    for (std::size_t s = 0; s < targets.size(); ++s) {
        const float error = outputs[s] - targets[s];
        loss += double{error} * double{error} / (2 * static_cast<double>(targets.size()));
        gradient[s] = error / static_cast<float>(targets.size());
    }
    network.backward(gradient);
    const auto trained = network.trainables();
    by.step(trained, rate);
    if (average != nullptr) average->add(trained);
    return loss;
}

const trainable& share_of(const std::vector<trainable>& all) {
    return *std::ranges::find(all, parameter_role::own, &trainable::role);
}

} // namespace

TEST_CASE("own parameters are among the trainables, by the name that files have") {
    std::mt19937 random(201);
    sequential here;
    training_network<net> training(random_parameters(random), 1, here);
    const auto all = training.trainables();
    REQUIRE(all.size() == 5); // two weights, two biases, a share
    const trainable& share = share_of(all);
    CHECK(share.layer == "mixed.mix");
    CHECK(share.node == mix_at);
    CHECK(tensor_name(share) == "share");
    CHECK(share.values.size() == 4);
    CHECK(!is_weight(share));
    CHECK(std::ranges::all_of(share.gradient, [](float g) { return g == 0; })); // none before a way back
    // A penalty reaches them where its choice names them: decay / 2 times the sum of squares.
    l2_penalty decay{.decay = 0.5, .of = [](const trainable& one) { return one.role == parameter_role::own; }};
    double squares = 0;
    for (const float w : share.values) squares += double{w} * double{w};
    CHECK(decay(all, {}) == doctest::Approx(0.25 * squares));
    for (std::size_t i = 0; i < 4; ++i) CHECK(share.gradient[i] == 0.5F * share.values[i]);
}

// The output is smooth in every parameter: of order h^2 = 2^-12 is what a central difference misses, times third
// derivatives of order one; float's roundings add 2^-24 of outputs below 8, divided by 2 h.
TEST_CASE("gradients of own parameters and through them: central differences of the float network") {
    std::mt19937 random(202);
    const auto initial = random_parameters(random);
    const auto image = random_values(random, inputs);
    sequential here;
    training_network<net> training(initial, 1, here);
    training.forward(image);
    const float one = 1;
    training.backward(std::span(&one, 1));
    std::size_t checked = 0;
    for (const trainable& parameter : training.trainables())
        for (std::size_t i = 0; i < parameter.values.size(); ++i) {
            constexpr float h = 0x1p-6F;
            const auto output = [&](float step) {
                auto moved = initial;
                auto& layer = moved.layers[parameter.node];
                (parameter.role == parameter_role::bias ? layer.bias : layer.weight)[i] += step;
                float_network<net> network(moved);
                return double{network(image)[0]};
            };
            CHECK(std::abs((output(h) - output(-h)) / (2 * double{h}) - double{parameter.gradient[i]}) <= 1e-3);
            ++checked;
        }
    CHECK(checked == (4 * 4 + 4) + 4 + (24 + 1));
}

TEST_CASE("own parameters' gradients have the same bits however many threads there are") {
    std::mt19937 random(203);
    const auto initial = random_parameters(random);
    const auto images = random_values(random, 37 * inputs);
    const auto given = random_values(random, 37);
    sequential here;
    thread_pool three(3);
    training_network<net> alone(initial, 37, here);
    training_network<net> shared(initial, 37, three);
    alone.forward(images);
    shared.forward(images);
    alone.backward(given);
    shared.backward(given);
    CHECK(alone.gradients() == shared.gradients());
}

TEST_CASE("training lowers the loss, in float and through integers, and moves own parameters") {
    std::mt19937 random(204);
    const auto initial = random_parameters(random);
    const auto goal = random_parameters(random);
    const auto images = random_values(random, 16 * inputs);
    float_network<net> teacher(goal);
    std::vector<float> targets;
    for (std::size_t s = 0; s < 16; ++s) targets.push_back(teacher(std::span(images).subspan(s * inputs, inputs))[0]);
    const auto check = [&](auto& network, const update_rule& rule, double rate) {
        CAPTURE(rule.memory_names().size());
        CAPTURE(rate);
        optimizer by(rule, network.trainables());
        const double first = descend(network, by, images, targets, rate);
        double last = first;
        for (int step = 0; step < 300; ++step) last = descend(network, by, images, targets, rate);
        CHECK(last < first / 4);
        CHECK(network.values()[mix_at].weight != initial[mix_at].weight);
    };
    sequential here;
    const std::vector<std::pair<update_rule, double>> rules{{sgd{}, 0.003}, {adam{}, 0.01}, {own::signs{}, 0.01}};
    for (const auto& [rule, rate] : rules) {
        training_network<net> floating(initial, 16, here);
        check(floating, rule, rate);
        // The samples are the same at each step, and ranges follow them at once: what leaves a range has no gradient.
        quantized_training_network<net, numbers> integer(initial, 16, here, {.ranges = {.momentum = 0.5F}});
        check(integer, rule, rate);
    }
}

TEST_CASE("quantized training computes what the simulated network does, own integers included") {
    std::mt19937 random(205);
    sequential here;
    quantized_training_network<net, numbers> training(random_parameters(random), 4, here);
    const auto images = random_values(random, 4 * inputs);
    training.forward(images);
    const auto found = training.evaluate(images);
    const auto integers = quantize_parameters<numbers>(deploy(training.values()), training.ranges());
    simulated_network<numbers> simulated(integers);
    for (std::size_t s = 0; s < 4; ++s) CHECK(simulated(std::span(images).subspan(s * inputs, inputs))[0] == found[s]);
}

TEST_CASE("a resumed training is the uninterrupted one: own parameters, own optimizer, average") {
    std::mt19937 random(206);
    const io_test::temporary_folder folder;
    const auto initial = random_parameters(random);
    const auto images = random_values(random, 8 * inputs);
    const auto targets = random_values(random, 8);
    sequential here;
    const auto entries_of = [](auto& network, optimizer& by, weight_average& average) {
        auto entries = network_entries(net::nodes, network);
        const auto trained = network.trainables();
        for (auto& one : optimizer_entries(by, trained)) entries.push_back(one);
        for (auto& one : average_entries(average, trained)) entries.push_back(one);
        return entries;
    };
    const auto check = [&]<class Network>(std::type_identity<Network>) {
        const auto path = folder.path() / "checkpoint";
        Network whole(initial, 8, here);
        optimizer by(own::signs{}, whole.trainables());
        weight_average average(0.9, whole.trainables());
        for (int step = 0; step < 3; ++step) descend(whole, by, images, targets, 0.01, &average);
        save_checkpoint(path, entries_of(whole, by, average), {});
        for (int step = 0; step < 3; ++step) descend(whole, by, images, targets, 0.01, &average);

        Network resumed(zero_parameters<net>(), 8, here);
        optimizer other(own::signs{}, resumed.trainables());
        weight_average forgotten(0.9, resumed.trainables());
        load_checkpoint(path, entries_of(resumed, other, forgotten), {});
        for (int step = 0; step < 3; ++step) descend(resumed, other, images, targets, 0.01, &forgotten);
        CHECK(resumed.values() == whole.values());
        CHECK(std::ranges::equal(other.memory(0), by.memory(0)));
        CHECK(std::ranges::equal(forgotten.averages(), average.averages()));

        const auto file = io::read_safetensors(path);
        for (const char* name : {"mixed.mix.share", "optimizer.mean.mixed.mix.share", "average.mixed.mix.share"})
            CHECK(file.contains(name));
    };
    check(std::type_identity<training_network<net>>{});
    check(std::type_identity<quantized_training_network<net, numbers>>{});
}
