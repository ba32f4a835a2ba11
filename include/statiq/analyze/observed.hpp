// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/model.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace statiq {

/// An integer model run on reals with its layers in sight: each node's output is shown dequantized. For analysis; it
/// allocates.
template <class Model>
class observed {
  public:
    using graph = typename Model::graph;

    explicit observed(const Model& watched) : network_(watched.network()) {
        std::size_t widest = 0;
        for (const node& n : graph::nodes) widest = (std::max)(widest, n.out.size());
        reals_.resize(widest);
    }

    template <class Observe>
    void run(const float* sample, Observe&& observe) {
        using in = typename Model::network_type::input_type;
        std::vector<in> input(Model::network_type::input_size);
        for (std::size_t i = 0; i < input.size(); ++i) input[i] = quantized_input(sample[i]);
        network_.run(input.data(), [&]<std::size_t I, class T>(node_index<I> index, const T* values) {
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
        using in = typename Model::network_type::input_type;
        if constexpr (std::is_same_v<in, float>)
            return value;
        else
            return static_cast<in>(quantize(value, network_.input_map(), graph::nodes[0].numbers.activation));
    }

    typename Model::network_type network_;
    std::vector<float> reals_;
};

} // namespace statiq
