// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/model.hpp>
#include <statiq/tensor/aligned_vector.hpp>
#include <statiq/tensor/exact_span.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace statiq {

namespace detail {
inline constexpr char observed_sample[] = "observed: values of the sample";
} // namespace detail

/// An integer model run on reals with its layers in sight: each node's output is shown dequantized. For analysis: it
/// allocates. It reads the model's parameters and has an arena of its own; the model outlives it.
template <class Model>
class observed {
    using network_type = typename Model::network_type;
    using in = typename network_type::input_type;

  public:
    using graph = typename Model::graph;
    using sample_span = exact_span<const float, network_type::input_size, detail::observed_sample>;

    explicit observed(const Model& watched)
        : arena_(std::max<std::size_t>(network_type::arena_size, 1)), network_(watched.parameters(), arena_) {
        std::size_t widest = 0;
        for (const node& n : graph::nodes) widest = (std::max)(widest, n.out.size());
        reals_.resize(widest);
    }
    observed(const observed&) = delete;
    observed& operator=(const observed&) = delete;

    template <class Observe>
    void run(sample_span sample, Observe&& observe) {
        std::vector<in> input(network_type::input_size);
        for (std::size_t i = 0; i < input.size(); ++i) input[i] = quantized_input(sample[i]);
        network_.run(input, [&]<std::size_t I, class T>(node_index<I> index, const T* values) {
            for (std::size_t k = 0; k < graph::nodes[I].out.size(); ++k) {
                if constexpr (std::is_same_v<T, float>)
                    reals_[k] = values[k];
                else
                    reals_[k] = dequantize(values[k], network_.map_of(I));
            }
            observe(index, static_cast<const float*>(reals_.data()));
        });
    }

  private:
    [[nodiscard]] auto quantized_input(float value) const {
        if constexpr (std::is_same_v<in, float>)
            return value;
        else
            return static_cast<in>(quantize(value, network_.input_map(), graph::nodes[0].numbers.activation));
    }

    aligned_vector<std::uint8_t> arena_;
    network_type network_;
    std::vector<float> reals_;
};

} // namespace statiq
