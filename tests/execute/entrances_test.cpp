// SPDX-License-Identifier: Apache-2.0
// What public calls are given: sizes, memory, and who calls.
#include <statiq/analyze/compare.hpp>
#include <statiq/analyze/observed.hpp>
#include <statiq/analyze/quality.hpp>
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/float_network.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/execute/weight_only_network.hpp>
#include <statiq/simulate/float_simulation.hpp>
#include <statiq/simulate/simulated_network.hpp>

#include <doctest/doctest.h>

#include "../support/random_parameters.hpp"
#include "../support/refused.hpp"
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace statiq;

namespace {

using weight = quantized<8, symmetric, per_channel>;
using byte = quantized<8, asymmetric>;

struct net final : network<decltype(input<2, 2, 3> | named<"first">(conv<12>(kernel<1>)) | relu |
                                    named<"same">(conv<3>) | named<"last">(conv<3>))> {};
using D = deployed<net>;
using Q = numbers_chosen<D, weight, byte>;

struct made {
    parameters<D> from;
    support::random_samples samples;
    node_ranges<D> ranges;
};
made make() {
    std::mt19937 random(181);
    auto from = deploy(support::random_parameters<net>(random));
    auto samples = support::random_inputs<net>(random, 2);
    auto ranges = calibrate(from, samples);
    return {std::move(from), std::move(samples), ranges};
}

using network_type = integer_network<Q>;
struct alignas(arena_alignment) arena {
    std::array<std::uint8_t, network_type::arena_size + arena_alignment> bytes{};
    [[nodiscard]] std::span<std::uint8_t> from(std::size_t first, std::size_t size = network_type::arena_size) {
        return std::span(bytes).subspan(first, size);
    }
};

/// Runs a network again while it runs, on another thread.
template <class Network, class Input>
void run_twice(Network& network, const Input& input) {
    network.run(input, [&]<std::size_t I, class T>(node_index<I>, const T*) {
        if (I == 1) std::thread([&] { network.run(input); }).join();
    });
}

} // namespace

TEST_CASE("an input of another size is refused, with what was expected and found") {
    const made m = make();
    auto model = quantize<weight, byte>(m.from, m.ranges);
    float_network<D> floats(m.from);
    simulated_network<Q> simulated(quantize_parameters<Q>(m.from, m.ranges));
    auto weights_alone = quantize_weights<weight>(m.from);
    observed watched(model);
    const std::vector<float> short_sample(4);
    const std::vector<float> long_sample(13);
    const std::vector<std::uint8_t> short_input(11);
    const auto message = [](const char* what, int found) {
        return std::string("statiq: ") + what + ": expected 12, found " + std::to_string(found) + "\n";
    };
    const auto ignore = []<class I>(I, const float*) {};
    CHECK(support::refusal_of([&] { floats(short_sample); }) == message("float_network: values of the input", 4));
    CHECK(support::refusal_of([&] { floats(long_sample); }) == message("float_network: values of the input", 13));
    CHECK(support::refusal_of([&] { floats.run(sequential{}, short_sample); }) ==
          message("float_network: values of the input", 4));
    CHECK(support::refusal_of([&] { model(short_sample); }) == message("model: values of the sample", 4));
    CHECK(support::refusal_of([&] { model.network()(short_input); }) ==
          message("integer_network: values of the input", 11));
    CHECK(support::refusal_of([&] { simulated(short_sample); }) ==
          message("simulated_network: values of the input", 4));
    CHECK(support::refusal_of([&] { weights_alone(long_sample); }) ==
          message("weight_only_network: values of the input", 13));
    CHECK(support::refusal_of([&] { simulated.run(sequential{}, short_sample, ignore); }) ==
          message("simulated_network: values of the input", 4));
    CHECK(support::refusal_of([&] { weights_alone.run(sequential{}, short_sample, ignore); }) ==
          message("weight_only_network: values of the input", 4));
    CHECK(support::refusal_of([&] { watched.run(short_sample, ignore); }) ==
          message("observed: values of the sample", 4));
    simulation<> data = float_simulation(as_data(m.from));
    CHECK(support::refusal_of([&] { data.run(short_sample); }) == message("simulation: values of the input", 4));
    CHECK(support::refusal_of([&] { data.run(sequential{}, short_sample); }) ==
          message("simulation: values of the input", 4));
    // Arrays and spans of the right extent, whatever they are, are taken.
    const std::array<float, 12> array{};
    const float c_array[12]{};
    CHECK(floats(array).size() == 12);
    CHECK(floats(c_array).size() == 12);
    CHECK(floats(std::span<const float, 12>(array)).size() == 12);
    CHECK(floats(std::vector<float>(12)).size() == 12);
}

TEST_CASE("an arena that is too short or begins off the alignment is refused, by a byte too") {
    const made m = make();
    const auto model = quantize<weight, byte>(m.from, m.ranges);
    arena memory;
    constexpr std::size_t size = network_type::arena_size;
    const std::string need = std::to_string(size);
    const auto on = [&](std::span<std::uint8_t> bytes) {
        return support::refusal_of(
            [&] { network_type(model.parameters(), bytes).run(std::array<std::uint8_t, 12>{}); });
    };
    CHECK(on(memory.from(0)) == "");
    CHECK(on(memory.from(0, size + 1)) == "");
    CHECK(on(memory.from(0, size - 1)) ==
          "statiq: arena: bytes: expected " + need + " or more, found " + std::to_string(size - 1) + "\n");
    CHECK(on({}) == "statiq: arena: bytes: expected " + need + " or more, found 0\n");
    for (const std::size_t off : {1U, 8U, 32U, 63U})
        CHECK(
            on(memory.from(off)) ==
            "statiq: arena: bytes between its first and the multiple of arena_alignment before it: expected 0, found " +
                std::to_string(off) + "\n");
}

TEST_CASE("an input that lies in the memory a run writes is refused, as is a run on the last result") {
    const made m = make();
    auto model = quantize<weight, byte>(m.from, m.ranges);
    arena memory;
    network_type network(model.parameters(), memory.from(0));
    const auto on = [&](std::span<const std::uint8_t> input) { return support::refusal_of([&] { network(input); }); };
    const auto shared = [](int bytes) {
        return "statiq: integer_network: bytes of the input that lie in the arena: expected 0, found " +
               std::to_string(bytes) + "\n";
    };
    CHECK(on(memory.from(0, 12)) == shared(12));
    CHECK(on(memory.from(network_type::arena_size - 5, 12)) == shared(5)); // its last 7 bytes lie behind the arena
    CHECK(on(memory.from(network_type::arena_size, 12)) == "");
    CHECK(on(network(std::array<std::uint8_t, 12>{})) == shared(12));

    float_network<D> floats(m.from);
    CHECK(support::refusal_of([&] { floats(floats(m.samples[0])); }) ==
          "statiq: float_network: bytes of the input that lie in its memory: expected 0, found 48\n");
    auto weights_alone = quantize_weights<weight>(m.from);
    CHECK(support::refusal_of([&] { weights_alone(weights_alone(m.samples[0])); }) ==
          "statiq: weight_only_network: bytes of the input that lie in its memory: expected 0, found 48\n");
    simulated_network<Q> simulated(quantize_parameters<Q>(m.from, m.ranges));
    CHECK(support::refusal_of([&] { simulated(simulated(m.samples[0])); }) ==
          "statiq: simulation: bytes of the input that lie in its memory: expected 0, found 48\n");
    // Parameters in the arena would be written over, too.
    struct alignas(arena_alignment) {
        std::array<std::uint8_t, sizeof(typename network_type::parameters_type)> bytes;
    } blob;
    std::memcpy(blob.bytes.data(), model.bytes().data(), blob.bytes.size());
    CHECK(support::refusal_of([&] {
              const auto inside = parameters_from_bytes<Q>(std::as_bytes(std::span(blob.bytes)));
              network_type(*inside, std::span(blob.bytes));
          }).starts_with("statiq: integer_network: bytes of the parameters that lie in the arena: expected 0, found"));
}

TEST_CASE("a second run of a network that is running is refused") {
    const made m = make();
    auto model = quantize<weight, byte>(m.from, m.ranges);
    float_network<D> floats(m.from);
    simulated_network<Q> simulated(quantize_parameters<Q>(m.from, m.ranges));
    auto weights_alone = quantize_weights<weight>(m.from);
    const std::array<std::uint8_t, 12> input{};
    const std::span<const float> sample = m.samples[0];
    CHECK(support::refusal_of([&] { run_twice(model.network(), input); }) ==
          "statiq: integer_network: runs at a time: expected 1, found 2\n");
    CHECK(support::refusal_of([&] { run_twice(floats, sample); }) ==
          "statiq: float_network: runs at a time: expected 1, found 2\n");
    CHECK(support::refusal_of([&] { run_twice(simulated, sample); }) ==
          "statiq: simulated_network: runs at a time: expected 1, found 2\n");
    CHECK(support::refusal_of([&] { run_twice(weights_alone, sample); }) ==
          "statiq: weight_only_network: runs at a time: expected 1, found 2\n");
    // One after another, on any thread, is fine; so is a copy made in the middle.
    std::thread([&] { model.network().run(input); }).join();
    static_assert(!std::is_invocable_v<const network_type&, const std::array<std::uint8_t, 12>&>);
}

TEST_CASE("any number of networks share parameters, each with an arena of its own") {
    const made m = make();
    auto model = quantize<weight, byte>(m.from, m.ranges);
    std::mt19937 random(182);
    std::array<std::array<std::uint8_t, 12>, 4> inputs{};
    std::array<std::vector<std::uint8_t>, 4> expected;
    for (std::size_t t = 0; t < inputs.size(); ++t) {
        for (auto& x : inputs[t]) x = static_cast<std::uint8_t>(random());
        const auto output = model.network().run(inputs[t]);
        expected[t].assign(output.begin(), output.end());
    }
    std::array<arena, 4> memory;
    std::array<int, 4> wrong{};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < inputs.size(); ++t)
        threads.emplace_back([&, t] {
            network_type network(model.parameters(), memory[t].bytes);
            for (int run = 0; run < 1000; ++run)
                if (!std::ranges::equal(network(inputs[t]), expected[t])) ++wrong[t];
        });
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == std::array<int, 4>{});
}

TEST_CASE("samples, ranges and parameters of another network are refused, the layer named") {
    const made m = make();
    const network_data data = as_data(m.from);
    const number_choice choice{weight::format, byte::format, weight::format};
    const std::vector<std::vector<float>> ragged{std::vector<float>(12), std::vector<float>(14)};
    const std::vector<std::vector<float>> none;
    float_network<D> floats(m.from);
    CHECK(support::refusal_of([&] { compare(floats, floats, ragged); }) ==
          "statiq: float_network: values of the input: expected 12, found 14\n");
    CHECK(support::refusal_of([&] { compare(floats, floats, none); }) ==
          "statiq: compare: samples: expected 1 or more, found 0\n");
    const quantized_data quantized = quantize_data(data, m.ranges, choice);
    CHECK(support::refusal_of([&] { measure_quality(data, quantized, reader_of(ragged)); }) ==
          "statiq: reader_of: values of a sample: expected 12, found 14\n");
    CHECK(support::refusal_of([&] { measure_quality(data, quantized, reader_of(none)); }) ==
          "statiq: samples: expected 1 or more, found 0\n");
    const layer_override nobody{"nobody", {.chosen_weight = true, .weight = choice.weight}};
    CHECK(support::refusal_of([&] { quantize_data(data, m.ranges, choice, std::array{nobody}); }) ==
          "statiq: choose_numbers: nodes of layer 'nobody': expected 1, found 0\n");
    CHECK(support::refusal_of([&] { quantize_data(data, std::span(m.ranges).first(2), choice); }) ==
          "statiq: quantize_data: ranges: expected 4, found 2\n");

    auto changed = m.from;
    changed[1].weight.pop_back(); // 12 x 3 weights
    CHECK(support::refusal_of([&] { float_network<D>{changed}; }) ==
          "statiq: weight of layer 'first': expected 36, found 35\n");
    CHECK(support::refusal_of([&] { quantize<weight, byte>(changed, m.ranges); }) ==
          "statiq: weight of layer 'first': expected 36, found 35\n");
    auto integers = quantize_parameters<Q>(m.from, m.ranges);
    integers[2].bias.push_back(0);
    CHECK(support::refusal_of([&] { integer_model(integers); }) ==
          "statiq: biases of layer 'same': expected 3, found 4\n");
    integers[2].bias.pop_back();
    integers[2].weight[7] = 128; // symmetric: -127 to 127
    CHECK(support::refusal_of([&] { integer_model(integers); }) ==
          "statiq: a weight of layer 'same': expected -127 to 127, found 128\n");
}

TEST_CASE("an output that was never computed is refused") {
    struct two final : network<decltype(input<1, 1, 3> | named<"a">(dense<4>) | outputs<"a"> | relu | dense<2>)> {};
    const auto from = zero_parameters<two>();
    const float_network<two> floats(from);
    CHECK(support::refusal_of([&] { (void)floats.output<"a">(); }) ==
          "statiq: float_network: runs before an output is read: expected 1 or more, found 0\n");
    // A copy has computed nothing yet, whatever its original has; what is moved goes on.
    float_network<two> original(from);
    original(std::array<float, 3>{});
    float_network<two> copy = original;
    CHECK(support::refusal_of([&] { (void)copy.output<"a">(); }) ==
          "statiq: float_network: runs before an output is read: expected 1 or more, found 0\n");
    copy(std::array<float, 3>{});
    CHECK(copy.output<"a">().data() != original.output<"a">().data());
    const float* place = original.output<"a">().data();
    const float_network<two> moved = std::move(original);
    CHECK(moved.output<"a">().data() == place);
    const simulation<> data = float_simulation(as_data(from));
    CHECK(support::refusal_of([&] { (void)data.tensor(1); }) ==
          "statiq: simulation: steps before a node's output is read: expected 1 or more, found 0\n");
}

TEST_CASE("parameters that were refused end where they are used, with the reason") {
    const made m = make();
    const auto model = quantize<weight, byte>(m.from, m.ranges);
    const std::string size = std::to_string(model.bytes().size());
    arena memory;
    CHECK(support::refusal_of([&] { network_type(*parameters_from_bytes<Q>({}), memory.from(0)); }) ==
          "statiq: parameters: bytes: expected " + size + ", found 0\n");
    CHECK(support::refusal_of([] { (void)statiq::model<Q>(nullptr); }) ==
          "statiq: model: parameters: expected 1, found 0\n");
    CHECK(support::refusal_of([&] { (void)parameters_from_bytes<Q, gemmlowp>(model.bytes())->header; }) ==
          "statiq: parameters: identifier of the requantization scheme they are for: expected 1, found 3\n");
}
