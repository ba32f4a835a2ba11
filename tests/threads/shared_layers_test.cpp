// SPDX-License-Identifier: Apache-2.0
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/float_network.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/execute/weight_only_network.hpp>
#include <statiq/simulate/float_simulation.hpp>
#include <statiq/simulate/simulated_network.hpp>
#include <statiq/threads/thread_pool.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <type_traits>
#include <vector>

using namespace statiq;

namespace {

/// Whatever can be divided is.
struct fine_pool : thread_pool {
    using thread_pool::thread_pool;
    [[nodiscard]] static constexpr std::size_t grain() noexcept { return 1; }
};

/// Every layer's output, byte for byte.
class record {
  public:
    template <class T>
    void keep(std::size_t count, const T* values) {
        const auto* first = reinterpret_cast<const std::uint8_t*>(values);
        layers_.emplace_back(first, first + count * sizeof(T));
    }
    friend bool operator==(const record&, const record&) = default;

  private:
    std::vector<std::vector<std::uint8_t>> layers_{};
};

template <graph_type G, class Network, class Executor, class In>
record layers_of(Network& network, Executor&& threads, std::span<const In> input) {
    record seen;
    network.run(threads, input, [&]<std::size_t I, class T>(node_index<I>, const T* values) {
        seen.keep(G::nodes[I].out.size(), values);
    });
    return seen;
}

/// The same of nodes that are known when the program runs.
template <class Executor>
record layers_of(simulation<>& network, Executor&& threads, std::span<const float> input) {
    record seen;
    network.run(threads, input,
                [&](std::size_t i, const float* values) { seen.keep(network.nodes()[i].out.size(), values); });
    return seen;
}

void check_any_number_of_threads(simulation<>& network, std::span<const float> input) {
    const record alone = layers_of(network, sequential{}, input);
    for (const std::size_t threads : {1U, 2U, 3U}) {
        CAPTURE(threads);
        fine_pool pool(threads);
        CHECK(layers_of(network, pool, input) == alone);
    }
}

template <graph_type G, class Network, class In>
void check_any_number_of_threads(Network& network, std::span<const In> input) {
    static fine_pool pools[] = {fine_pool(1), fine_pool(2), fine_pool(3), fine_pool(5)};
    const record alone = layers_of<G>(network, sequential{}, input);
    for (fine_pool& pool : pools) {
        CAPTURE(pool.concurrency());
        CHECK(layers_of<G>(network, pool, input) == alone);
    }
}

template <number_type Weight, number_type Activation, class Net>
void check_threads(std::mt19937& random) {
    using G = deployed<Net>;
    const auto trained = support::random_parameters<Net>(random);
    const auto parameters = deploy(trained);
    const auto samples = support::random_inputs<Net>(random, 2);

    float_network<Net> floats(trained);
    check_any_number_of_threads<Net>(floats, samples[0]);

    const auto ranges = calibrate(parameters, samples);
    using Q = numbers_chosen<G, Weight, Activation>;
    simulated_network<Q> simulated(quantize_parameters<Q>(parameters, ranges));
    check_any_number_of_threads<Q>(simulated, samples[0]);

    auto model = quantize<Weight, Activation>(parameters, ranges);
    using network_type = typename decltype(model)::network_type;
    std::vector<typename network_type::input_type> input(network_type::input_size);
    for (auto& value : input) value = static_cast<typename network_type::input_type>(random() % 128);
    check_any_number_of_threads<Q>(model.network(),
                                   std::span<const typename network_type::input_type>(input)); // one runs it
    const auto alone = model(samples[1]);
    fine_pool pool(3);
    CHECK(model.network().threads() == 1);
    CHECK(model(pool, samples[1]) == alone);
    CHECK(model.network().threads() == 3);
    model.reserve(4); // fewer than the last pool has
    CHECK(model.network().threads() == 4);
    check_any_number_of_threads<Q>(model.network(), std::span<const typename network_type::input_type>(input));
}

/// Float sums: with integer weights, and of nodes that are data, rounded or not.
template <graph_type Net>
void check_threads_of_reals(std::mt19937& random) {
    const auto parameters = deploy(support::random_parameters<Net>(random));
    const auto samples = support::random_inputs<Net>(random, 2);
    auto network = quantize_weights<quantized<4, symmetric, per_channel>>(parameters);
    check_any_number_of_threads<typename decltype(network)::graph>(network, samples[0]);
    // Memory for more threads is taken once, by `reserve` or a run.
    network.reserve(7);
    check_any_number_of_threads<typename decltype(network)::graph>(network, samples[1]);

    const network_data data = as_data(parameters);
    simulation<> floats = float_simulation(data);
    check_any_number_of_threads(floats, samples[0]);
    simulation<> rounded(quantize_data(data, calibrate(parameters, samples),
                                       {quantized<6>::format, quantized<8, asymmetric>::format, quantized<6>::format}));
    check_any_number_of_threads(rounded, samples[0]);
    // Without some of its sources a simulation rounds where no integer kernel does.
    rounded.set_sources(loss_sources::all().without(loss_source::weight));
    check_any_number_of_threads(rounded, samples[0]);
    rounded.set_sources(loss_sources(loss_source::input) | loss_source::requantization);
    check_any_number_of_threads(rounded, samples[1]);
}

using weight = quantized<8, symmetric, per_channel>;
using byte = quantized<8, asymmetric>;

/// Layers wide enough for several panels of channels, and what random networks have not.
struct wide final
    : network<decltype(input<9, 11, 3> | conv<150>(kernel<3>, stride<2>) | relu | depthwise | relu6 | conv<136> |
                       add(conv<136> | relu, identity) | concat(max_pool, average_pool) |
                       depthwise(kernel<5>, stride<2>) | with<weight, quantized<12, asymmetric>>(conv<40>) |
                       with<float32>(conv<70> | relu) | conv<33>(kernel<3>) | flatten | dense<300> | softmax)> {};

/// The same in one format, for executions that have no other.
struct wide_in_one_format final
    : network<decltype(input<9, 11, 3> | conv<150>(kernel<3>, stride<2>) | relu | depthwise | relu6 | conv<136> |
                       add(conv<136> | relu, identity) | concat(max_pool, average_pool) |
                       depthwise(kernel<5>, stride<2>) | conv<33>(kernel<3>) | flatten | dense<300> | softmax)> {};

} // namespace

TEST_CASE("any number of threads gives the same bits: a wide network") {
    std::mt19937 random(151);
    check_threads<weight, byte, wide>(random);
    check_threads<quantized<7, asymmetric>, byte, wide>(random);
}

TEST_CASE("any number of threads gives the same bits: random networks") {
    std::mt19937 random(152);
    support::for_each_random_network<0, 8>([&]<class Net>() { check_threads<weight, byte, Net>(random); });
}

TEST_CASE("any number of threads gives the same bits: integer weights alone, and nodes that are data") {
    std::mt19937 random(153);
    check_threads_of_reals<wide_in_one_format>(random);
    support::for_each_random_network<0, 4>([&]<class Net>() { check_threads_of_reals<Net>(random); });
}
