// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace statiq {

/// What a parameter tensor is to its layer. `own`: one that an operation other than the library's linear layers and
/// batch norm declares.
enum class parameter_role : std::uint8_t { weight, bias, gamma, beta, mean, variance, range, own };

/// As files name it, `<layer>.<role>`; an `own` tensor has its operation's name instead (`tensor_name`).
inline constexpr std::string_view to_string(parameter_role role) {
    constexpr std::array<std::string_view, 8> names{"weight", "bias", "gamma", "beta", "mean", "var", "range", "own"};
    return names[static_cast<std::size_t>(role)];
}

/// A parameter tensor and the loss's gradient with respect to it: all that optimizers and penalties see of a network.
struct trainable {
    std::string_view layer; ///< the node's name; refers to the network
    std::size_t node = 0;   ///< its index
    parameter_role role = parameter_role::weight;
    bool depthwise = false;                ///< of a depthwise convolution
    std::span<float> values;               ///< in natural order (graph/parameters.hpp)
    std::span<float> gradient;             ///< as many
    const parameter_tensor* own = nullptr; ///< of the role `own`: the operation's declaration

    [[nodiscard]] bool not_negative() const noexcept { return false; }
};

/// Numbers that gradients do not move: a batch norm's moving mean and variance, an activation's learned range (its
/// least and greatest value), and what an operation declares as a state.
struct training_state {
    std::string_view layer;
    std::size_t node = 0;
    parameter_role role = parameter_role::mean;
    std::span<float> values;
    const parameter_tensor* own = nullptr; ///< of the role `own`: the operation's declaration

    [[nodiscard]] bool not_negative() const noexcept {
        return role == parameter_role::variance || (own != nullptr && own->kind == parameter_kind::state_of_squares);
    }
};

/// What files call a tensor, behind its layer's name and a dot. @tparam Tensor `trainable` or `training_state`
template <class Tensor>
std::string_view tensor_name(const Tensor& one) {
    return one.own != nullptr ? std::string_view(one.own->name) : to_string(one.role);
}

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

namespace detail {
/// Calls f(declaration, values) for each tensor of a node's own parameters.
template <class F>
void for_each_own_tensor(const node& n, layer_parameters& values, F&& f) {
    if (!n.has_own_parameters()) return;
    for (std::size_t t = 0; t < n.facts->tensor_count; ++t)
        if (const parameter_tensor& tensor = n.facts->tensors[t]; tensor.count(n) > 0) f(tensor, values.*tensor.values);
}
} // namespace detail

/// Parameters of the network's sizes, all zero.
template <graph_type G>
parameters<G> zero_gradients() {
    parameters<G> blank = zero_parameters<G>();
    for (std::size_t i = 0; i < node_count<G>; ++i)
        detail::for_each_tensor(G::nodes[i], blank[i], [](const char*, std::vector<float>& values, std::size_t) {
            std::ranges::fill(values, 0.0F);
        });
    return blank;
}

/// The trainables of a network's nodes, in execution order; in a layer weight, bias, gamma, beta, or an operation's own
/// tensors in its order.
/// @param gradients of the same sizes as `values`
inline std::vector<trainable> list_trainables(std::span<const node> nodes, std::span<layer_parameters> values,
                                              std::span<layer_parameters> gradients) {
    std::vector<trainable> listed;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (nodes[i].has_own_parameters()) {
            detail::for_each_own_tensor(nodes[i], values[i],
                                        [&](const parameter_tensor& own, std::vector<float>& value) {
                                            if (own.kind == parameter_kind::learned)
                                                listed.push_back({nodes[i].name.view(), i, parameter_role::own, false,
                                                                  value, gradients[i].*own.values, &own});
                                        });
            continue;
        }
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

/// The moving statistics of a network's batch norms and the states of its operations, in execution order; in a batch
/// norm mean, variance.
inline std::vector<training_state> list_moving_statistics(std::span<const node> nodes,
                                                          std::span<layer_parameters> values) {
    std::vector<training_state> listed;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        detail::for_each_own_tensor(nodes[i], values[i], [&](const parameter_tensor& own, std::vector<float>& value) {
            if (own.kind != parameter_kind::learned)
                listed.push_back({nodes[i].name.view(), i, parameter_role::own, value, &own});
        });
        if (!nodes[i].traits().normalizes) continue;
        listed.push_back({nodes[i].name.view(), i, parameter_role::mean, values[i].mean});
        listed.push_back({nodes[i].name.view(), i, parameter_role::variance, values[i].variance});
    }
    return listed;
}

} // namespace statiq
