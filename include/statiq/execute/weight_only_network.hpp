// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/bit_packed.hpp>
#include <statiq/execute/float_execution.hpp>
#include <statiq/graph/lacking.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/kernels/weights/layouts.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/passes/weight_maps.hpp>
#include <statiq/tensor/aligned_vector.hpp>
#include <statiq/tensor/weight_walk.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace statiq {

namespace detail {
struct weight_only_network_words {
    static constexpr char input[] = "weight_only_network: values of the input";
    static constexpr char runs[] = "weight_only_network: runs at a time";
    static constexpr char shared[] = "weight_only_network: bytes of the input that lie in its memory";
    static constexpr char unseen[] = "weight_only_network: runs before an output is read";
};
} // namespace detail

/// The execution of a graph whose weights alone are integers: they are stored in as many bits as they have, decoded
/// layer by layer into memory for one layer, and multiplied in float. It saves memory for weights (P2 section 3.1.1),
/// not time; activations need no calibration. Its bits are the simulated network's. Memory for one thread is taken at
/// construction, for more by `reserve` or the first run that brings them; otherwise running allocates nothing. For one
/// thread at a time; copies are independent.
/// @tparam Q `numbers_chosen<deployed<Net>, Weight, float32>`; per tensor, channel or group.
template <graph_type Q>
class weight_only_network
    : public detail::float_execution<weight_only_network<Q>, Q, detail::weight_only_network_words> {
    using execution = detail::float_execution<weight_only_network<Q>, Q, detail::weight_only_network_words>;
    static_assert(check_definitions<detail::reals_verdict<Q>>::passed);
    static_assert(
        [] {
            for (const node& n : Q::nodes)
                if (!n.numbers.activation.floating) return false;
            return true;
        }(),
        "statiq: weights alone are integers where every activation is float32");

  public:
    explicit weight_only_network(const quantized_parameters<Q>& from) {
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
    }

    /// What the parameters take: integers, scales and zero points, biases.
    [[nodiscard]] std::size_t parameter_bytes() const noexcept {
        std::size_t bytes = 0;
        for (const layer& l : layers_)
            bytes +=
                l.integers.bytes() + l.maps.size() * sizeof(affine) + (l.floats.size() + l.bias.size()) * sizeof(float);
        return bytes;
    }

  private:
    friend execution;

    struct layer {
        detail::bit_packed integers{};
        std::vector<affine> maps{};
        std::vector<float> floats{}; ///< weights of a layer that kept them
        std::vector<float> bias{};
    };

    template <std::size_t I>
    [[nodiscard]] detail::float_step_parameters parameters_of() noexcept {
        constexpr const node& n = Q::nodes[I];
        if constexpr (n.is_linear()) {
            decode(n, layers_[I]);
            return {packed_.data(), layers_[I].bias.data()};
        } else {
            return {layers_[I].floats.data(), layers_[I].bias.data()};
        }
    }

    /// One layer's weights as floats, as the kernels read them.
    void decode(const node& n, const layer& from) noexcept {
        const convolution_shape shape = n.convolution();
        const float* weights = from.floats.data();
        if (detail::is_weight_only(n)) {
            const detail::weight_maps map_of(shape, n.numbers.weight);
            for_each_weight(shape, [&](const weight_place& w) {
                natural_[w.index] = dequantize(from.integers[w.index], from.maps[map_of(w)]);
            });
            weights = natural_.data();
        }
        kernels::pack_weights<float, float>(weights, packed_.data(), shape);
    }

    std::array<layer, node_count<Q>> layers_;
    std::vector<float> natural_;
    aligned_vector<float> packed_;
};

/// Quantizes a deployed network's weights alone: `quantize_weights<quantized<4, symmetric, per_group<32>>>(deployed)`.
template <number_type Weight, graph_type G>
auto quantize_weights(const parameters<G>& deployed_parameters) {
    using numbers = numbers_chosen<G, Weight, float32>;
    return weight_only_network<numbers>(quantize_parameters<numbers>(deployed_parameters, node_ranges<G>{}));
}

} // namespace statiq
