// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/operations/library.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <random>
#include <span>
#include <string_view>
#include <vector>

namespace support {

inline float uniform(std::mt19937& random, double low, double high) {
    return static_cast<float>(std::uniform_real_distribution<double>(low, high)(random));
}

/// Whether batch norms have channels almost without variance: their scales are hundreds.
enum class dead_channels { some, none };

/// A batch norm's variance, of every size that training leaves behind.
inline float random_variance(std::mt19937& random, dead_channels dead) {
    constexpr std::array<float, 4> tiny{0.0F, 6e-45F, 1e-13F, 1e-7F};
    const int choice = std::uniform_int_distribution<int>(0, 23)(random);
    if (dead == dead_channels::some && choice < 4) return tiny[static_cast<std::size_t>(choice)];
    return static_cast<float>(std::exp2(std::uniform_real_distribution<double>(-2, 2)(random)));
}

/// Parameters that keep signals near 1: weights of variance 1 / reduction, batch norm scales of both signs.
template <statiq::graph_type G>
statiq::parameters<G> random_parameters(std::mt19937& random, dead_channels dead = dead_channels::some) {
    statiq::parameters<G> result;
    for (std::size_t i = 0; i < statiq::node_count<G>; ++i) {
        const statiq::node& n = G::nodes[i];
        const double weight_limit = n.is_linear() ? std::sqrt(3.0 / n.convolution().reduction()) : 0.0;
        statiq::detail::for_each_tensor(n, result[i],
                                        [&](std::string_view kind, std::vector<float>& values, std::size_t count) {
                                            values.resize(count);
                                            for (float& value : values) {
                                                if (kind == "weight")
                                                    value = uniform(random, -weight_limit, weight_limit);
                                                else if (kind == "gamma")
                                                    value = uniform(random, 0.3, 1.5) * (random() % 4 == 0 ? -1 : 1);
                                                else if (kind == "var")
                                                    value = random_variance(random, dead);
                                                else
                                                    value = uniform(random, -0.5, 0.5);
                                            }
                                        });
    }
    return result;
}

/// Samples of a network's input, uniform in [-1, 1].
class random_samples {
  public:
    random_samples(std::mt19937& random, std::size_t count, std::size_t size) : samples_(count) {
        for (auto& sample : samples_) {
            sample.resize(size);
            for (float& value : sample) value = uniform(random, -1, 1);
        }
    }
    [[nodiscard]] std::size_t size() const { return samples_.size(); }
    [[nodiscard]] std::span<const float> operator[](std::size_t index) const { return samples_[index]; }

  private:
    std::vector<std::vector<float>> samples_;
};

template <statiq::graph_type G>
random_samples random_inputs(std::mt19937& random, std::size_t count) {
    return {random, count, statiq::input_extents<G>.size()};
}

} // namespace support
