// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/own_tensors.hpp>
#include <statiq/execute/real_call.hpp>
#include <statiq/execute/scratch.hpp>
#include <statiq/execute/walk.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/kernels/weights/layouts.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/plan/arena.hpp>
#include <statiq/plan/memory.hpp>
#include <statiq/tensor/aligned_vector.hpp>
#include <statiq/tensor/exact_span.hpp>
#include <statiq/threads/single_run.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace statiq {

namespace detail {

/// Integers of a few bits, one after another without gaps, least significant bit first.
class bit_packed {
  public:
    bit_packed() = default;
    bit_packed(std::span<const std::int32_t> values, const number_format& format)
        : lowest_(format.lowest), bits_(static_cast<unsigned>(format.bits)),
          bytes_((values.size() * bits_ + 7) / 8 + sizeof(std::uint32_t)) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            const auto code = static_cast<std::uint32_t>(values[i] - lowest_);
            for (unsigned b = 0; b < bits_; ++b) {
                const std::size_t at = i * bits_ + b;
                bytes_[at / 8] = static_cast<std::uint8_t>(bytes_[at / 8] | ((code >> b) & 1U) << (at % 8));
            }
        }
    }
    [[nodiscard]] std::int32_t operator[](std::size_t index) const noexcept {
        const std::size_t at = index * bits_;
        const std::uint8_t* from = bytes_.data() + at / 8; // 7 + 16 bits lie in three bytes, and four may be read
        const std::uint32_t word = static_cast<std::uint32_t>(from[0]) | static_cast<std::uint32_t>(from[1]) << 8 |
                                   static_cast<std::uint32_t>(from[2]) << 16;
        return static_cast<std::int32_t>((word >> (at % 8)) & ((1U << bits_) - 1)) + lowest_;
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size(); }

  private:
    std::int32_t lowest_ = 0;
    unsigned bits_ = 0;
    std::vector<std::uint8_t> bytes_{};
};

} // namespace detail

namespace detail {
inline constexpr char weight_only_network_input[] = "weight_only_network: values of the input";
} // namespace detail

/// The execution of a graph whose weights alone are integers: they are stored in as many bits as they have, decoded
/// layer by layer into memory for one layer, and multiplied in float. It saves memory for weights (P2 section 3.1.1),
/// not time; activations need no calibration. Memory is taken once, at construction; running allocates nothing. For one
/// thread at a time. Its bits are the simulated network's.
/// @tparam Q `numbers_chosen<deployed<Net>, Weight, float32>`; per tensor, channel or group.
template <graph_type Q>
class weight_only_network {
    static_assert(
        [] {
            for (const node& n : Q::nodes)
                if (!n.numbers.activation.floating) return false;
            return true;
        }(),
        "statiq: weights alone are integers where every activation is float32");

  public:
    using graph = Q;

    /// One sample: floats in HWC order.
    using input_span = exact_span<const float, input_extents<Q>.size(), detail::weight_only_network_input>;
    using output_span = std::span<const float, output_extents<Q>.size()>;

    explicit weight_only_network(const quantized_parameters<Q>& from)
        : arena_((memory_plan_of<Q>.arena_bytes + sizeof(float) - 1) / sizeof(float)) {
        std::size_t most = 0;
        std::size_t most_packed = 0;
        for (std::size_t i = 0; i < node_count<Q>; ++i) {
            const node& n = Q::nodes[i];
            if (n.has_own_parameters()) {
                layers_[i].floats.resize(detail::parameter_count(n));
                detail::copy_parameters(n, from[i].floating, layers_[i].floats.data());
            }
            if (!n.is_linear()) continue;
            detail::require_integers(n, from[i].weight.size(), from[i].weight_map.size(), from[i].bias.size());
            const convolution_shape shape = n.convolution();
            most = (std::max)(most, shape.weight_count());
            most_packed = (std::max)(most_packed, kernels::packed_weight_count<float, float>(shape));
            layers_[i].maps = from[i].weight_map;
            layers_[i].bias = from[i].floating.bias;
            layers_[i].bias.resize(static_cast<std::size_t>(n.out.channels));
            if (detail::is_weight_only(n))
                layers_[i].integers = detail::bit_packed(from[i].weight, n.numbers.weight);
            else
                layers_[i].floats = from[i].floating.weight;
        }
        natural_.resize(most);
        packed_.resize(most_packed);
        scratch_.resize(detail::float_scratch_of(Q::nodes));
    }

    /// Runs on one sample. The result lives until the next run. Refused as `float_network::run` refuses.
    template <class Observe = observe_nothing>
    output_span run(input_span input, Observe&& observe = {}) noexcept {
        const detail::single_run::scope running(running_, "weight_only_network: runs at a time");
        detail::require_apart("weight_only_network: bytes of the input that lie in its memory", input.data(),
                              input.size() * sizeof(float), arena_.data(), arena_.size() * sizeof(float));
        for_each_node<Q>([&]<std::size_t I>(node_index<I> index) {
            constexpr const node& n = Q::nodes[I];
            if constexpr (n.is_source()) {
                tensors_[I] = input.data();
            } else if constexpr (n.traits().moves_no_data) {
                tensors_[I] = tensors_[input_index<Q, I>];
            } else {
                step(I);
            }
            observe(index, tensors_[I]);
        });
        return output_span(tensors_.back(), output_extents<Q>.size());
    }
    output_span operator()(input_span input) noexcept { return run(input); }

    /// What the parameters take: integers, scales and zero points, biases.
    [[nodiscard]] std::size_t parameter_bytes() const noexcept {
        std::size_t bytes = 0;
        for (const layer& l : layers_)
            bytes +=
                l.integers.bytes() + l.maps.size() * sizeof(affine) + (l.floats.size() + l.bias.size()) * sizeof(float);
        return bytes;
    }

  private:
    struct layer {
        detail::bit_packed integers{};
        std::vector<affine> maps{};
        std::vector<float> floats{}; ///< weights of a layer that kept them
        std::vector<float> bias{};
    };

    void step(std::size_t index) noexcept {
        const node& n = Q::nodes[index];
        std::array<const float*, max_inputs> inputs{};
        for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
            inputs[k] = tensors_[static_cast<std::size_t>(n.inputs[k])];
        float* output = arena_.data() + memory_plan_of<Q>.tensors[index].offset / sizeof(float);
        if (n.is_linear()) decode(n, layers_[index]);
        constexpr kernels::nest_set nests = detail::float_nests_of(Q::nodes, [](const node&) { return true; });
        detail::compute_reals<operations_of<Q>, nests>(
            Q::nodes.data(), n, inputs.data(),
            {n.is_linear() ? packed_.data() : layers_[index].floats.data(), layers_[index].bias.data()}, output,
            {scratch_.data(), scratch_.size()});
        tensors_[index] = output;
    }

    /// One layer's weights as floats, as the kernels read them.
    void decode(const node& n, const layer& from) noexcept {
        const convolution_shape shape = n.convolution();
        const float* weights = from.floats.data();
        if (detail::is_weight_only(n)) {
            const std::size_t groups = detail::weight_groups(shape, n.numbers.weight);
            for (int o = 0; o < shape.out.channels; ++o)
                for (int tap = 0; tap < shape.over.taps(); ++tap)
                    for (int k = 0; k < shape.in_channels_per_group(); ++k) {
                        const std::size_t w = shape.weight_index(o, tap, k);
                        const std::size_t map = static_cast<std::size_t>(o) * groups +
                                                detail::weight_group(shape, n.numbers.weight, tap, k);
                        natural_[w] = dequantize(from.integers[w], from.maps[map]);
                    }
            weights = natural_.data();
        }
        kernels::pack_weights<float, float>(weights, packed_.data(), shape);
    }

    std::array<layer, node_count<Q>> layers_;
    std::vector<float> natural_;
    aligned_vector<float> packed_;
    aligned_vector<float> arena_;
    aligned_vector<std::uint8_t> scratch_{};
    detail::own_tensors<std::array<const float*, node_count<Q>>> tensors_{};
    detail::single_run running_{};
};

/// Quantizes a deployed network's weights alone: `quantize_weights<quantized<4, symmetric, per_group<32>>>(deployed)`.
template <number_type Weight, graph_type G>
auto quantize_weights(const parameters<G>& deployed_parameters) {
    using numbers = numbers_chosen<G, Weight, float32>;
    return weight_only_network<numbers>(quantize_parameters<numbers>(deployed_parameters, node_ranges<G>{}));
}

} // namespace statiq
