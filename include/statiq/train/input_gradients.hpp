// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/float_step.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/kernels/reference/backward/pointwise.hpp>
#include <statiq/kernels/reference/backward/pool.hpp>
#include <statiq/kernels/reference/backward/rearrange.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>

namespace statiq::detail {

/// What the way back of a node without parameters reads, for one sample.
template <std::floating_point Real>
struct node_gradients {
    const Real* input = nullptr;           ///< what it has read; of a pool only
    const Real* output = nullptr;          ///< what it has written; of softmax and activations
    const Real* output_gradient = nullptr; ///< before any fused activation
};

/// The gradient of input number `k` of node `n`, which has no parameters. All of `gradient` is written; it may be the
/// output's gradient where backward_node says so.
template <std::floating_point Real>
void input_gradient_step(const node* nodes, const node& n, std::size_t k, const node_gradients<Real>& from,
                         Real* gradient) {
    namespace reference = kernels::reference;
    const extents& in = nodes[n.inputs[k]].out;
    switch (n.kind) {
    case operation::relu:
    case operation::relu6:
    case operation::relu_n1_to_1: {
        const real_clamp bounds = clamp_of(n.applied());
        reference::clamp_gradient(from.output, from.output_gradient, n.out.size(), Real{bounds.lowest},
                                  Real{bounds.highest}, gradient);
        break;
    }
    case operation::max_pool:
        reference::max_pool_gradient(
            reference::pool_gradient_arguments<Real>{from.input, in, n.out, n.over, from.output_gradient, gradient});
        break;
    case operation::average_pool:
        reference::average_pool_gradient(
            reference::pool_gradient_arguments<Real>{from.input, in, n.out, n.over, from.output_gradient, gradient});
        break;
    case operation::global_average_pool:
        reference::mean_gradient(from.output_gradient, in, gradient);
        break;
    case operation::concat: {
        int first = 0;
        for (std::size_t before = 0; before < k; ++before) first += nodes[n.inputs[before]].out.channels;
        reference::concat_gradient(from.output_gradient, in, n.out.channels, first, gradient);
        break;
    }
    case operation::softmax:
        reference::softmax_gradient(from.output, from.output_gradient, in, gradient);
        break;
    case operation::transpose:
        reference::transpose_gradient(from.output_gradient, in, n.axes, gradient);
        break;
    case operation::pad:
        reference::pad_gradient(from.output_gradient, in, n.out, n.over.pad_top, n.over.pad_left, gradient);
        break;
    case operation::broadcast:
        reference::broadcast_gradient(from.output_gradient, in, n.out, gradient);
        break;
    case operation::upsample:
        reference::upsample_gradient(from.output_gradient, in, n.out, gradient);
        break;
    case operation::add:
    case operation::convert:
        if (gradient != from.output_gradient) std::copy_n(from.output_gradient, n.out.size(), gradient);
        break;
    case operation::input:
    case operation::reshape:
    case operation::convolution:
    case operation::dense:
    case operation::batch_norm:
        break; // they have no input, move nothing, or have parameters
    }
}

} // namespace statiq::detail
