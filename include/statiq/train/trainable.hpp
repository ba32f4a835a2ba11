// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace statiq {

/// What a parameter tensor is to its layer.
enum class parameter_role : std::uint8_t { weight, bias, gamma, beta, mean, variance, range };

/// As files name it: `<layer>.<role>`.
inline constexpr std::string_view to_string(parameter_role role) {
    constexpr std::array<std::string_view, 7> names{"weight", "bias", "gamma", "beta", "mean", "var", "range"};
    return names[static_cast<std::size_t>(role)];
}

/// A parameter tensor and the loss's gradient with respect to it: all that optimizers and penalties see of a network.
struct trainable {
    std::string_view layer; ///< the node's name; refers to the network
    std::size_t node = 0;   ///< its index
    parameter_role role = parameter_role::weight;
    bool depthwise = false;    ///< of a depthwise convolution
    std::span<float> values;   ///< in natural order (graph/parameters.hpp)
    std::span<float> gradient; ///< as many
};

/// Numbers that a network learns without gradients: a batch norm's moving mean and variance, an activation's learned
/// range (its least and greatest value).
struct training_state {
    std::string_view layer;
    std::size_t node = 0;
    parameter_role role = parameter_role::mean;
    std::span<float> values;
};

/// A count that training carries from step to step: steps taken, draws made.
struct training_counter {
    std::string_view name; ///< unique in the network
    std::uint64_t* value = nullptr;
};

/// A network in training. Its trainables, states and counters together decide every later step: stored and restored,
/// they resume to the same bits. Order and sizes are the same whenever asked; the spans stay valid as long as the
/// network.
template <class T>
concept trainable_network = requires(T& network) {
    { network.trainables() } -> std::convertible_to<std::vector<trainable>>;
    { network.states() } -> std::convertible_to<std::vector<training_state>>;
    { network.counters() } -> std::convertible_to<std::vector<training_counter>>;
};

/// The trainables of a network's nodes, in execution order; in a layer weight, bias, gamma, beta.
/// @param gradients of the same sizes as `values`
inline std::vector<trainable> list_trainables(std::span<const node> nodes, std::span<layer_parameters> values,
                                              std::span<layer_parameters> gradients) {
    std::vector<trainable> listed;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const auto add = [&](parameter_role role, std::vector<float>& value, std::vector<float>& gradient) {
            if (!value.empty())
                listed.push_back({nodes[i].name.view(), i, role, nodes[i].is_depthwise(), value, gradient});
        };
        add(parameter_role::weight, values[i].weight, gradients[i].weight);
        add(parameter_role::bias, values[i].bias, gradients[i].bias);
        add(parameter_role::gamma, values[i].gamma, gradients[i].gamma);
        add(parameter_role::beta, values[i].beta, gradients[i].beta);
    }
    return listed;
}

/// The moving statistics of a network's batch norms, in execution order; in a layer mean, variance.
inline std::vector<training_state> list_moving_statistics(std::span<const node> nodes,
                                                          std::span<layer_parameters> values) {
    std::vector<training_state> listed;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (!nodes[i].traits().normalizes) continue;
        listed.push_back({nodes[i].name.view(), i, parameter_role::mean, values[i].mean});
        listed.push_back({nodes[i].name.view(), i, parameter_role::variance, values[i].variance});
    }
    return listed;
}

} // namespace statiq
