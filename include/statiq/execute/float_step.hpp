// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/reference/add.hpp>
#include <statiq/kernels/reference/concat.hpp>
#include <statiq/kernels/reference/convert.hpp>
#include <statiq/kernels/reference/mean.hpp>
#include <statiq/kernels/reference/pool.hpp>
#include <statiq/kernels/reference/softmax.hpp>

#include <cstddef>
#include <limits>
#include <span>

namespace statiq::detail {

/// A float node's parameters, packed for the kernels. A batch norm holds scale and shift: y = scale x + shift.
struct float_step_parameters {
    const float* weights = nullptr; ///< or batch norm's scale
    const float* bias = nullptr;    ///< or batch norm's shift
};

/// The interval an activation clamps reals to.
struct real_clamp {
    float lowest = -std::numeric_limits<float>::infinity();
    float highest = std::numeric_limits<float>::infinity();
};
constexpr real_clamp clamp_of(activation fused) {
    if (fused == activation::none) return {};
    return {0.0F, fused == activation::relu6 ? 6.0F : std::numeric_limits<float>::infinity()};
}
/// The activation a node applies: its own kind's, or the fused one.
constexpr activation activation_of(const node& n) {
    if (n.kind == operation::relu) return activation::relu;
    return n.kind == operation::relu6 ? activation::relu6 : n.fused;
}

/// Computes node `n` of `nodes` in float. `inputs` are its input tensors in order, `output` n.out.size() values.
inline void float_step(const node* nodes, const node& n, std::span<const float* const> inputs,
                       const float_step_parameters& from, float* output) noexcept {
    namespace reference = kernels::reference;
    const real_clamp clamped = clamp_of(activation_of(n));
    const float* in = inputs[0];
    switch (n.kind) {
    case operation::convolution:
    case operation::dense:
        kernels::convolution(kernels::float_convolution_arguments{.input = in,
                                                                  .weights = from.weights,
                                                                  .bias = from.bias,
                                                                  .output = output,
                                                                  .lowest = clamped.lowest,
                                                                  .highest = clamped.highest},
                             n.convolution());
        break;
    case operation::batch_norm: {
        const auto channels = static_cast<std::size_t>(n.out.channels);
        for (std::size_t pixel = 0; pixel < n.out.pixels(); ++pixel)
            for (std::size_t c = 0; c < channels; ++c)
                output[pixel * channels + c] = in[pixel * channels + c] * from.weights[c] + from.bias[c];
        break;
    }
    case operation::relu:
    case operation::relu6:
        reference::clamp(reference::clamp_arguments<float>{
            .input = in, .size = n.out.size(), .lowest = clamped.lowest, .highest = clamped.highest, .output = output});
        break;
    case operation::max_pool:
        reference::max_pool(
            reference::pool_arguments<float>{.input = in, .in = n.in, .out = n.out, .over = n.over, .output = output});
        break;
    case operation::average_pool:
        reference::average_pool(
            reference::pool_arguments<float>{.input = in, .in = n.in, .out = n.out, .over = n.over, .output = output});
        break;
    case operation::global_average_pool:
        reference::mean(reference::float_mean_arguments{.input = in, .in = n.in, .output = output});
        break;
    case operation::add:
        reference::add(reference::float_add_arguments{.inputs = inputs,
                                                      .size = n.out.size(),
                                                      .lowest = clamped.lowest,
                                                      .highest = clamped.highest,
                                                      .output = output});
        break;
    case operation::concat: {
        int first = 0;
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            const extents& part = nodes[n.inputs[k]].out;
            reference::concat(reference::float_concat_arguments{
                .input = inputs[k], .in = part, .channels = n.out.channels, .first_channel = first, .output = output});
            first += part.channels;
        }
        break;
    }
    case operation::softmax:
        reference::softmax(reference::float_softmax_arguments{.input = in, .in = n.in, .output = output});
        break;
    case operation::input:
    case operation::flatten:
    case operation::convert:
        break; // no float arithmetic: the executions handle them
    }
}

} // namespace statiq::detail
