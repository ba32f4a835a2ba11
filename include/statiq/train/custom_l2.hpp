// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/operations/add.hpp>
#include <statiq/operations/convolution.hpp>
#include <statiq/tensor/window.hpp>
#include <statiq/train/penalties.hpp>
#include <statiq/train/trainable.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace statiq {

/// RepVGG's penalties on the kernel that its branches merge to, instead of weight decay on the branches.
enum class kernel_penalty : std::uint8_t {
    divided,  ///< P4 (5): each centre by the sum of both factors' squares, whose growth it therefore rewards
    undivided ///< P4 (6): the square of the merged centre itself
};

/// The two convolutions of a block, and what their batch norms multiply them by: t = gamma / sqrt(variance + epsilon)
/// of each output channel. All in natural order.
template <std::floating_point Real>
struct branch_kernels {
    convolution_shape shape{};            ///< of the k x k; the 1 x 1 has the same channels and groups
    std::span<const Real> square{};       ///< k x k weights, k odd
    std::span<const Real> point{};        ///< 1 x 1 weights
    std::span<const Real> square_scale{}; ///< t of the k x k
    std::span<const Real> point_scale{};  ///< t of the 1 x 1
};

/// A penalty and its gradients with respect to the weights. The factors t are constants: no gradient goes through them.
template <std::floating_point Real>
struct penalty_with_gradient {
    Real value = 0;
    std::vector<Real> square{};
    std::vector<Real> point{};
};

/// The code form of P4 (5):
///
///     sum of K3^2 over all taps but the centre + sum of (K3c t3 + K1 t1)^2 / (t3^2 + t1^2)
///
/// K3c the centre taps, and of (6), the same without the denominator. A training loss adds weight decay / 2 times this,
/// and leaves both kernels out of ordinary weight decay. A channel whose factors are both zero has no centre term.
template <std::floating_point Real>
penalty_with_gradient<Real> custom_l2(const branch_kernels<Real>& block, kernel_penalty kind) {
    const convolution_shape& shape = block.shape;
    convolution_shape point_shape = shape;
    point_shape.over = {};
    const int centre = shape.over.kernel_height / 2 * shape.over.kernel_width + shape.over.kernel_width / 2;
    penalty_with_gradient<Real> result{0, std::vector<Real>(block.square.size()),
                                       std::vector<Real>(block.point.size())};
    for (int o = 0; o < shape.out.channels; ++o) {
        const Real t3 = block.square_scale[static_cast<std::size_t>(o)];
        const Real t1 = block.point_scale[static_cast<std::size_t>(o)];
        const Real squares = t3 * t3 + t1 * t1;
        const Real divisor = kind == kernel_penalty::divided ? squares : Real{1};
        for (int c = 0; c < shape.in_channels_per_group(); ++c) {
            for (int tap = 0; tap < shape.over.taps(); ++tap) {
                if (tap == centre) continue;
                const std::size_t w = shape.weight_index(o, tap, c);
                result.value += block.square[w] * block.square[w];
                result.square[w] = 2 * block.square[w];
            }
            if (squares == 0) continue;
            const std::size_t middle = shape.weight_index(o, centre, c);
            const std::size_t point = point_shape.weight_index(o, 0, c);
            const Real merged = block.square[middle] * t3 + block.point[point] * t1;
            result.value += merged * merged / divisor;
            result.square[middle] = 2 * merged * t3 / divisor;
            result.point[point] = 2 * merged * t1 / divisor;
        }
    }
    return result;
}

namespace detail {

/// A sum's k x k and 1 x 1 convolution, each with its batch norm: indices, or -1.
struct branch_pair {
    int square = -1;
    int square_norm = -1;
    int point = -1;
    int point_norm = -1;
    [[nodiscard]] bool complete() const { return square >= 0 && point >= 0; }
};

inline branch_pair branches_of(std::span<const node> nodes, const node& sum) {
    branch_pair pair;
    for (int k = 0; k < sum.input_count; ++k) {
        const int norm = sum.inputs[static_cast<std::size_t>(k)];
        if (!nodes[static_cast<std::size_t>(norm)].traits().normalizes) continue;
        const int linear = nodes[static_cast<std::size_t>(norm)].input();
        const node& n = nodes[static_cast<std::size_t>(linear)];
        if (!n.is<operations::convolution>()) continue;
        const bool centred = n.over.kernel_height % 2 == 1 && n.over.kernel_width % 2 == 1;
        if (n.over.taps() == 1) {
            pair.point = linear;
            pair.point_norm = norm;
        } else if (centred) {
            pair.square = linear;
            pair.square_norm = norm;
        }
    }
    return pair;
}

/// The tensor of that node and role. @throws std::invalid_argument when the network has none
template <class Tensor>
const Tensor& tensor_of(std::span<const Tensor> all, std::size_t node, parameter_role role) {
    for (const Tensor& one : all)
        if (one.node == node && one.role == role) return one;
    throw std::invalid_argument("node " + std::to_string(node) + " has no " + std::string(to_string(role)) +
                                " among the network's tensors");
}

/// gamma / sqrt(variance + epsilon) with the moving variance, channel by channel.
inline std::vector<double> moving_scale(const trainable& gamma, const training_state& variance, float epsilon) {
    std::vector<double> scale;
    for (std::size_t c = 0; c < gamma.values.size(); ++c)
        scale.push_back(static_cast<double>(gamma.values[c]) /
                        std::sqrt(static_cast<double>(variance.values[c]) + static_cast<double>(epsilon)));
    return scale;
}

} // namespace detail

/// The penalty of all blocks of a network: of every sum one of whose branches is a k x k and one a 1 x 1 convolution,
/// each with batch norm (in QARepVGG's blocks none is). Ordinary weight decay leaves these kernels out
/// (`is_branch_kernel`).
struct custom_l2_penalty {
    std::span<const node> nodes; ///< the network's
    double decay;                ///< the loss grows by half of it times the penalty
    kernel_penalty kind = kernel_penalty::divided;

    double operator()(std::span<const trainable> all, std::span<const training_state> states) const {
        const auto number = [](int index) { return static_cast<std::size_t>(index); };
        const auto weights = [&](int index) -> const trainable& {
            return detail::tensor_of(all, number(index), parameter_role::weight);
        };
        const auto scale = [&](int index) {
            return detail::moving_scale(detail::tensor_of(all, number(index), parameter_role::gamma),
                                        detail::tensor_of(states, number(index), parameter_role::variance),
                                        nodes[number(index)].epsilon);
        };
        const auto widened = [](std::span<const float> values) {
            return std::vector<double>(values.begin(), values.end());
        };
        const auto add_to = [this](std::span<float> to, const std::vector<double>& from) {
            for (std::size_t i = 0; i < from.size(); ++i) to[i] += static_cast<float>(decay / 2 * from[i]);
        };
        double total = 0;
        for (const node& sum : nodes) {
            if (!sum.is<operations::add>()) continue;
            const detail::branch_pair pair = detail::branches_of(nodes, sum);
            if (!pair.complete()) continue;
            const trainable& square = weights(pair.square);
            const trainable& point = weights(pair.point);
            const std::vector<double> square_values = widened(square.values);
            const std::vector<double> point_values = widened(point.values);
            const std::vector<double> square_scale = scale(pair.square_norm);
            const std::vector<double> point_scale = scale(pair.point_norm);
            const auto of_block = custom_l2<double>(
                {nodes[number(pair.square)].convolution(), square_values, point_values, square_scale, point_scale},
                kind);
            total += decay / 2 * of_block.value;
            add_to(square.gradient, of_block.square);
            add_to(point.gradient, of_block.point);
        }
        return total;
    }
};

/// The weights that custom_l2_penalty is about.
inline trainable_choice is_branch_kernel(std::span<const node> nodes) {
    std::vector<std::size_t> kernels;
    for (const node& sum : nodes) {
        if (!sum.is<operations::add>()) continue;
        const detail::branch_pair pair = detail::branches_of(nodes, sum);
        if (!pair.complete()) continue;
        kernels.push_back(static_cast<std::size_t>(pair.square));
        kernels.push_back(static_cast<std::size_t>(pair.point));
    }
    return [kernels = std::move(kernels)](const trainable& one) {
        return is_weight(one) && std::ranges::find(kernels, one.node) != kernels.end();
    };
}

} // namespace statiq
