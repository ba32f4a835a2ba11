// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/integer_network.hpp>
#include <statiq/execute/prepare.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/simulate/simulated_network.hpp>

#include <doctest/doctest.h>

#include "random_parameters.hpp"
#include "real_oracle.hpp"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

/// The laws that bind a network's three executions, checked for one choice of numbers and one scheme. What is
/// instantiated for each network only records values; the checks walk the recorded layers.
namespace support {

/// Every layer's output: its integers, and the reals they stand for.
struct layers_seen {
    std::vector<std::vector<std::int32_t>> integers; ///< empty where float
    std::vector<std::vector<float>> values;

    explicit layers_seen(std::size_t nodes) : integers(nodes), values(nodes) {}

    template <class T>
    void keep(std::size_t node, const T* data, std::size_t size, const statiq::affine& map) {
        integers[node].clear();
        values[node].resize(size);
        for (std::size_t k = 0; k < size; ++k) {
            if constexpr (std::is_same_v<T, float>) {
                values[node][k] = data[k];
            } else {
                integers[node].push_back(data[k]);
                values[node][k] = statiq::dequantize(data[k], map);
            }
        }
    }
    friend bool operator==(const layers_seen&, const layers_seen&) = default;
};

template <statiq::graph_type Q, class Scheme, class In>
layers_seen run_seen(statiq::integer_network<Q, Scheme>& network, const std::vector<In>& input) {
    layers_seen seen(statiq::node_count<Q>);
    network.run(input, [&]<std::size_t I, class T>(statiq::node_index<I>, const T* data) {
        seen.keep(I, data, Q::nodes[I].out.size(), network.map_of(I));
    });
    return seen;
}

/// How far two executions were apart, in steps.
struct tally {
    std::size_t values = 0;
    std::size_t differing = 0;
    std::size_t provable = 0; ///< values for which the float sum is certain to round to the integer accumulator
    double farthest = 0;
    std::size_t saturated = 0; ///< values at an end of their format

    tally& operator+=(const tally& other) {
        values += other.values;
        differing += other.differing;
        provable += other.provable;
        farthest = std::max(farthest, other.farthest);
        saturated += other.saturated;
        return *this;
    }
};

/// One linear node by the definition: acc = sum (x - zx)(w - zw) + bias, then the scheme, the zero point, the clamp.
/// @param round_product whether the product of the two scales is rounded to float before it becomes the multiplier
template <class Scheme>
std::vector<std::int32_t> integer_linear(const statiq::node& n, const statiq::quantized_layer& layer,
                                         const statiq::affine& in, const std::vector<std::int32_t>& x,
                                         bool round_product) {
    const statiq::number_format& format = n.numbers.activation;
    const statiq::affine& out = layer.output;
    const auto level = [&](double real) {
        return static_cast<std::int32_t>(std::lround(real / static_cast<double>(out.scale))) + out.zero_point;
    };
    std::int32_t lowest = format.lowest;
    std::int32_t highest = format.highest;
    if (n.clamp == statiq::relu_clamp || n.clamp == statiq::relu6_clamp) lowest = std::max(lowest, out.zero_point);
    if (n.clamp == statiq::relu6_clamp) highest = std::min(highest, level(6));
    if (n.clamp == statiq::relu_n1_to_1_clamp) {
        lowest = std::max(lowest, level(-1));
        highest = std::min(highest, level(1));
    }
    std::vector<std::int32_t> y(n.out.size());
    std::size_t overflows = 0;
    const auto finish = [&](std::size_t to, std::size_t o, std::int64_t acc) {
        if (acc != static_cast<std::int32_t>(acc)) ++overflows;
        const float weight_scale = layer.weight_map[o].scale;
        const double product = round_product ? static_cast<double>(in.scale * weight_scale)
                                             : static_cast<double>(in.scale) * static_cast<double>(weight_scale);
        const double real = product / static_cast<double>(out.scale);
        const std::int64_t scaled = Scheme::apply(static_cast<std::int32_t>(acc), Scheme::prepare(real));
        y[to] = static_cast<std::int32_t>(std::clamp<std::int64_t>(scaled + out.zero_point, lowest, highest));
    };
    const auto product = [&](std::size_t w, std::size_t o, std::size_t i) {
        return std::int64_t{x[i] - in.zero_point} * (layer.weight[w] - layer.weight_map[o].zero_point);
    };
    if (n.is<statiq::operations::dense>()) {
        for (std::size_t o = 0; o < y.size(); ++o) {
            std::int64_t acc = layer.bias[o];
            for (std::size_t i = 0; i < x.size(); ++i) acc += product(o * x.size() + i, o, i);
            finish(o, o, acc);
        }
        CHECK(overflows == 0);
        return y;
    }
    const int per_group = n.in.channels / n.groups;
    detail::for_outputs(n, [&](int row, int column, int channel, std::size_t to) {
        const auto o = static_cast<std::size_t>(channel);
        const int first = channel / (n.out.channels / n.groups) * per_group;
        std::int64_t acc = layer.bias[o];
        detail::for_taps(n, row, column, [&](int ky, int kx, int in_row, int in_column) {
            for (int c = 0; c < per_group; ++c)
                acc += product(detail::weight_at(n, channel, ky, kx, c), o,
                               detail::at(n.in, in_row, in_column, first + c));
        });
        finish(to, o, acc);
    });
    CHECK(overflows == 0);
    return y;
}

/// The real layer that an integer layer stands for.
inline statiq::layer_parameters dequantized(const statiq::node& n, const statiq::quantized_layer& layer,
                                            const statiq::affine& in) {
    if (!n.is_linear() || n.numbers.weight.floating) return layer.floating;
    statiq::layer_parameters real;
    const auto channels = static_cast<std::size_t>(n.out.channels);
    for (std::size_t w = 0; w < layer.weight.size(); ++w) {
        const std::size_t o = n.is_depthwise() ? w % channels : w / (layer.weight.size() / channels);
        const statiq::affine& map = layer.weight_map[o];
        real.weight.push_back(static_cast<float>(static_cast<double>(map.scale) * (layer.weight[w] - map.zero_point)));
    }
    for (std::size_t o = 0; o < channels; ++o)
        real.bias.push_back(static_cast<float>(static_cast<double>(in.scale) *
                                               static_cast<double>(layer.weight_map[o].scale) * layer.bias[o]));
    return real;
}

/// What a node reads, of the recorded layers.
struct node_inputs {
    std::vector<reals> tensors;
    std::vector<const reals*> pointers;

    node_inputs(const statiq::node& n, const layers_seen& seen) {
        for (int k = 0; k < n.input_count; ++k)
            tensors.emplace_back(
                std::span<const float>(seen.values[static_cast<std::size_t>(n.inputs[static_cast<std::size_t>(k)])]));
        for (const reals& tensor : tensors) pointers.push_back(&tensor);
    }
};

/// Dequantized inputs, weights and biases are each rounded to float once.
inline constexpr parameter_error dequantizing{.relative = 3 * unit_roundoff};

/// A sum is computed at the scale s / 2^L, s twice the largest of its inputs'. `float_multiplier` rounds what brings an
/// input there to an integer: off by up to half a unit of that scale for each step q - z (docs/numerics.md, Sums). The
/// fixed point schemes round each input there: off by half a unit, or a whole one where they round twice, and by their
/// multiplier's 2^-31 of at most 2^28 units. Where the output's scale is much finer than the inputs' this is seen. In
/// steps of the output.
template <class Scheme>
double alignment_error(const statiq::node& n, std::span<const statiq::node> nodes,
                       std::span<const statiq::quantized_layer> layers, const layers_seen& seen, std::size_t k) {
    if (!n.is<statiq::operations::add>()) return 0;
    double scale = 0;
    double steps = 0;
    int bits = 0;
    for (int i = 0; i < n.input_count; ++i) {
        const auto from = static_cast<std::size_t>(n.inputs[static_cast<std::size_t>(i)]);
        scale = std::max(scale, 2 * static_cast<double>(layers[from].output.scale));
        steps += std::abs(seen.integers[from][k] - layers[from].output.zero_point);
        bits = std::max(bits, nodes[from].numbers.activation.bits);
    }
    const double units = std::is_same_v<Scheme, statiq::float_multiplier> ? 0.5 * steps : 1.125 * n.input_count;
    const auto index = static_cast<std::size_t>(&n - nodes.data());
    return units * scale / std::exp2(statiq::add_left_shift(bits)) / static_cast<double>(layers[index].output.scale);
}

/// Every layer of the integer network against its definition on the inputs it was given.
template <class Scheme>
void check_integer_layers(std::span<const statiq::node> nodes, std::span<const statiq::quantized_layer> layers,
                          const layers_seen& seen) {
    for (std::size_t i = 1; i < nodes.size(); ++i) {
        const statiq::node& n = nodes[i];
        const auto before = static_cast<std::size_t>(n.input());
        CAPTURE(n.name.view());
        REQUIRE(seen.values[i].size() == n.out.size());
        std::size_t wrong = 0;
        const bool floating = n.numbers.activation.floating;
        if (n.is_linear() && !floating) {
            // TensorFlow Lite rounds the product of scales in some layers and not in others; tests/golden knows which.
            const auto defined = [&](bool round_product) {
                return integer_linear<Scheme>(n, layers[i], layers[before].output, seen.integers[before],
                                              round_product);
            };
            CHECK((seen.integers[i] == defined(false) || seen.integers[i] == defined(true)));
        }

        // As reals: a float layer to its roundings, an integer layer to one step.
        const node_inputs inputs(n, seen);
        const reals y =
            real_node(nodes, n, dequantized(n, layers[i], layers[before].output), inputs.pointers, dequantizing);
        const statiq::affine& map = layers[i].output;
        for (std::size_t k = 0; k < y.value.size(); ++k) {
            if (floating) {
                if (!(std::abs(static_cast<double>(seen.values[i][k]) - y.value[k]) <= y.error[k])) ++wrong;
                continue;
            }
            const double low = n.numbers.activation.lowest;
            const double high = n.numbers.activation.highest;
            const double step = static_cast<double>(map.scale);
            const double exact = std::clamp(y.value[k] / step + map.zero_point, low, high);
            const std::int32_t q = seen.integers[i][k];
            const double allowed = 1 + y.error[k] / step + alignment_error<Scheme>(n, nodes, layers, seen, k);
            if (!(std::abs(q - exact) <= allowed) || q < low || q > high) ++wrong;
        }
        CHECK(wrong == 0);
    }
}

/// The simulated layers against the integer ones, whose inputs they had: within one step, and equal where the bound on
/// the float sum shows that it rounds to the integer accumulator.
inline tally check_simulated_layers(std::span<const statiq::node> nodes,
                                    std::span<const statiq::quantized_layer> layers, const layers_seen& integer,
                                    const layers_seen& simulated) {
    tally all;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        statiq::node n = nodes[i];
        CAPTURE(n.name.view());
        const std::vector<float>& expected = integer.values[i];
        REQUIRE(simulated.values[i].size() == expected.size());
        if (n.numbers.activation.floating) {
            CHECK(simulated.values[i] == expected);
            continue;
        }
        std::vector<double> sum_errors(expected.size(), 0.0); // in units of the accumulator
        if (n.is_linear()) {
            const auto before = static_cast<std::size_t>(n.input());
            n.clamp = {}; // it clamps after rounding
            const node_inputs inputs(n, integer);
            const reals y =
                real_node(nodes, n, dequantized(n, layers[i], layers[before].output), inputs.pointers, dequantizing);
            const auto channels = static_cast<std::size_t>(n.out.channels);
            for (std::size_t k = 0; k < y.error.size(); ++k)
                sum_errors[k] = y.error[k] / (static_cast<double>(layers[before].output.scale) *
                                              static_cast<double>(layers[i].weight_map[k % channels].scale));
        }
        const double step = static_cast<double>(layers[i].output.scale);
        std::size_t wrong = 0;
        for (std::size_t k = 0; k < expected.size(); ++k) {
            const double apart =
                std::abs(static_cast<double>(simulated.values[i][k]) - static_cast<double>(expected[k])) / step;
            const bool provable = sum_errors[k] < 0.5;
            ++all.values;
            if (provable) ++all.provable;
            if (apart > 0) ++all.differing;
            all.farthest = std::max(all.farthest, apart);
            const std::int32_t q = integer.integers[i][k];
            if (q == n.numbers.activation.lowest || q == n.numbers.activation.highest) ++all.saturated;
            // The reals themselves are rounded to float: 1 step is 1 to within 2^-24 of up to 2^16 steps.
            if (provable ? apart != 0 : apart > 1 + 0x1p-7) ++wrong;
        }
        CHECK(wrong == 0);
    }
    return all;
}

/// How far the simulated network is from the integer one when it goes its own way.
inline tally compare_executions(std::span<const statiq::node> nodes, std::span<const statiq::quantized_layer> layers,
                                const layers_seen& integer, const layers_seen& simulated) {
    tally all;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (nodes[i].numbers.activation.floating) continue;
        for (std::size_t k = 0; k < integer.values[i].size(); ++k) {
            const double apart =
                std::abs(static_cast<double>(simulated.values[i][k]) - static_cast<double>(integer.values[i][k])) /
                static_cast<double>(layers[i].output.scale);
            ++all.values;
            if (apart > 0) ++all.differing;
            all.farthest = std::max(all.farthest, apart);
        }
    }
    return all;
}

struct scheme_tally {
    tally fed;  ///< simulated layers on the integer network's own inputs
    tally free; ///< the simulated network by itself
    scheme_tally& operator+=(const scheme_tally& other) {
        fed += other.fed;
        free += other.free;
        return *this;
    }
};

/// All laws for a network with these integers, on these samples.
template <class Scheme, statiq::rewritten_graph Q, statiq::sample_set Samples>
scheme_tally check_executions(const statiq::quantized_parameters<Q>& quantized, const Samples& samples,
                              std::mt19937& random) {
    using network_type = statiq::integer_network<Q, Scheme>;
    using input_type = typename network_type::input_type;
    const auto parameters = std::make_unique<statiq::integer_parameters<Q, Scheme>>();
    statiq::prepare(quantized, *parameters);

    // What an arena holds before, and what lies around it, is nobody's business.
    constexpr std::size_t margin = statiq::arena_alignment;
    constexpr std::size_t size = network_type::arena_size + 2 * margin;
    std::vector<std::uint8_t> memory(size + margin);
    void* start = memory.data();
    std::size_t space = memory.size();
    REQUIRE(std::align(margin, size, start, space) != nullptr);
    auto* arena = static_cast<std::uint8_t*>(start) + margin;
    network_type network(*parameters, std::span(arena, network_type::arena_size));
    const auto soil = [&] {
        for (auto& byte : memory) byte = static_cast<std::uint8_t>(random());
    };

    statiq::simulated_network<Q, Scheme> simulated(quantized);
    scheme_tally result;
    for (std::size_t s = 0; s < samples.size(); ++s) {
        const std::span<const float> sample = samples[s];
        std::vector<input_type> input(network_type::input_size);
        for (std::size_t k = 0; k < input.size(); ++k) {
            if constexpr (std::is_same_v<input_type, float>)
                input[k] = sample[k];
            else
                input[k] = static_cast<input_type>(
                    statiq::quantize(sample[k], network.input_map(), Q::nodes[0].numbers.activation));
        }
        const std::vector<input_type> input_before = input;
        soil();
        const std::vector<std::uint8_t> memory_before = memory;
        const layers_seen seen = run_seen(network, input);
        CHECK(input == input_before);
        const auto arena_begin = arena - memory.data();
        const auto arena_end = arena_begin + static_cast<std::ptrdiff_t>(network_type::arena_size);
        CHECK(std::equal(memory.begin(), memory.begin() + arena_begin, memory_before.begin()));
        CHECK(std::equal(memory.begin() + arena_end, memory.end(), memory_before.begin() + arena_end));

        soil();
        CHECK(run_seen(network, input) == seen);

        check_integer_layers<Scheme>(Q::nodes, quantized.layers, seen);

        layers_seen predicted(statiq::node_count<Q>);
        bool feed = true;
        const auto observe = [&]<std::size_t I>(statiq::node_index<I>, const float* values) {
            predicted.keep(I, values, Q::nodes[I].out.size(), {});
            // Fed, the next layers go on from what the integer network has.
            if (feed) std::copy(seen.values[I].begin(), seen.values[I].end(), const_cast<float*>(values));
        };
        simulated.run(sample, observe);
        result.fed += check_simulated_layers(Q::nodes, quantized.layers, seen, predicted);
        feed = false;
        simulated.run(sample, observe);
        result.free += compare_executions(Q::nodes, quantized.layers, seen, predicted);
    }
    // Where every sum is certain, the networks are equal from end to end.
    if (result.fed.provable == result.fed.values) CHECK(result.free.differing == 0);
    return result;
}

inline void report(const std::string& name, const scheme_tally& t) {
    MESSAGE(name, ": ", t.fed.values, " values, ", t.fed.provable, " certain to be equal; fed layer by layer ",
            t.fed.differing, " differ, by up to ", t.fed.farthest, " steps; end to end ", t.free.differing,
            " differ, by up to ", t.free.farthest, "; ", t.fed.saturated, " at an end of their format");
}

/// One number combination's results over networks.
struct combination_tally {
    scheme_tally gemmlowp;
    scheme_tally single_rounding;
    scheme_tally float_multiplier;

    void report() const {
        support::report("gemmlowp", gemmlowp);
        support::report("single_rounding", single_rounding);
        support::report("float_multiplier", float_multiplier);
    }
};

template <statiq::graph_type G, statiq::number_type Weight, statiq::number_type Activation>
inline constexpr bool numbers_work =
    decltype(statiq::detail::numbers_verdict<
             statiq::rewritten<statiq::detail::choose_numbers_pass<Weight::format, Activation::format, Weight::format>,
                               statiq::deployed<G>>>())::accepted;

/// Quantizes a network with random parameters, ranges calibrated on a few samples, and checks it on others.
template <statiq::graph_type Net, statiq::number_type Weight, statiq::number_type Activation>
void check_network(std::mt19937& random, combination_tally& results) {
    if constexpr (numbers_work<Net, Weight, Activation>) {
        using Q = statiq::numbers_chosen<statiq::deployed<Net>, Weight, Activation>;
        const auto from = statiq::deploy(random_parameters<Net>(random));
        auto ranges = statiq::calibrate(from, random_inputs<Net>(random, 4));
        // Ranges need not be tight: where one reaches below zero, a fused ReLU has something to clamp.
        for (statiq::range& r : ranges)
            if (random() % 2 == 0) r.min -= (r.max - r.min) / 4;
        const auto quantized = statiq::quantize_parameters<Q>(from, ranges);
        const auto samples = random_inputs<Net>(random, 2);
        results.gemmlowp += check_executions<statiq::gemmlowp>(quantized, samples, random);
        results.single_rounding += check_executions<statiq::single_rounding>(quantized, samples, random);
        results.float_multiplier += check_executions<statiq::float_multiplier>(quantized, samples, random);
    }
}

} // namespace support
