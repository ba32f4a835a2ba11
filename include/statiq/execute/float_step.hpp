// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/executor.hpp>
#include <statiq/execute/run_parts.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/reference/add.hpp>
#include <statiq/kernels/reference/broadcast.hpp>
#include <statiq/kernels/reference/concat.hpp>
#include <statiq/kernels/reference/convert.hpp>
#include <statiq/kernels/reference/mean.hpp>
#include <statiq/kernels/reference/pool.hpp>
#include <statiq/kernels/reference/rearrange.hpp>
#include <statiq/kernels/reference/softmax.hpp>
#include <statiq/kernels/reference/upsample.hpp>

#include <algorithm>
#include <array>
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
    switch (fused) {
    case activation::none:
        break;
    case activation::relu:
        return {.lowest = 0.0F};
    case activation::relu6:
        return {0.0F, 6.0F};
    case activation::relu_n1_to_1:
        return {-1.0F, 1.0F};
    }
    return {};
}

/// The loop nests of a graph's float convolutions.
/// @param is_float is_float(node) of its linear nodes.
template <std::size_t Size, class IsFloat>
constexpr kernels::nest_set float_nests_of(const node_array<Size>& nodes, IsFloat is_float) {
    kernels::nest_set nests;
    for (const node& n : nodes)
        if (n.is_linear() && is_float(n))
            nests = nests.with(kernels::nests_of<float>(n.convolution(), kernels::float_nest_of(n.convolution()),
                                                        simd::word_lanes<simd::native_arch>));
    return nests;
}

/// Computes node `n` of `nodes` in float. `inputs` are its input tensors in order, `output` n.out.size() values.
/// @tparam Nests as `kernels::convolution` takes it. @param scratch as `convolve_in_parts` takes it; empty for nodes
/// that are not linear.
template <kernels::nest_set Nests = kernels::nest_set::all(), class Executor = sequential>
void float_step(const node* nodes, const node& n, std::span<const float* const> inputs,
                const float_step_parameters& from, float* output, kernels::scratch_memory scratch,
                Executor&& threads = {}) noexcept {
    namespace reference = kernels::reference;
    const real_clamp clamped = clamp_of(n.applied());
    const float* in = inputs[0];
    switch (n.kind) {
    case operation::convolution:
    case operation::dense:
        convolve_in_parts(threads,
                          kernels::float_convolution_arguments{.input = in,
                                                               .weights = from.weights,
                                                               .bias = from.bias,
                                                               .output = output,
                                                               .lowest = clamped.lowest,
                                                               .highest = clamped.highest,
                                                               .scratch = scratch},
                          n.convolution(), [](const auto& arguments, const convolution_shape& shape) {
                              kernels::convolution<Nests>(arguments, shape);
                          });
        break;
    case operation::batch_norm: {
        const auto channels = static_cast<std::size_t>(n.out.channels);
        in_spans(threads, static_cast<int>(n.out.pixels()), n.out.size(), [&](int first, int last) {
            for (auto pixel = static_cast<std::size_t>(first); pixel < static_cast<std::size_t>(last); ++pixel)
                for (std::size_t c = 0; c < channels; ++c)
                    output[pixel * channels + c] = in[pixel * channels + c] * from.weights[c] + from.bias[c];
        });
        break;
    }
    case operation::relu:
    case operation::relu6:
    case operation::relu_n1_to_1:
        in_runs(threads, n.out.size(), [&](std::size_t first, std::size_t count) {
            reference::clamp(reference::clamp_arguments<float>{.input = in + first,
                                                               .size = count,
                                                               .lowest = clamped.lowest,
                                                               .highest = clamped.highest,
                                                               .output = output + first});
        });
        break;
    case operation::max_pool:
        pool_in_parts(
            threads,
            reference::pool_arguments<float>{.input = in, .in = n.in, .out = n.out, .over = n.over, .output = output},
            [](const auto& part) { reference::max_pool(part); });
        break;
    case operation::average_pool:
        pool_in_parts(
            threads,
            reference::pool_arguments<float>{.input = in, .in = n.in, .out = n.out, .over = n.over, .output = output},
            [](const auto& part) { reference::average_pool(part); });
        break;
    case operation::global_average_pool:
        reference::mean(reference::float_mean_arguments{.input = in, .in = n.in, .output = output});
        break;
    case operation::add:
        in_runs(threads, n.out.size(), [&](std::size_t first, std::size_t count) {
            std::array<const float*, max_inputs> terms{};
            for (std::size_t k = 0; k < inputs.size(); ++k) terms[k] = inputs[k] + first;
            reference::add(reference::float_add_arguments{.inputs = {terms.data(), inputs.size()},
                                                          .size = count,
                                                          .lowest = clamped.lowest,
                                                          .highest = clamped.highest,
                                                          .output = output + first});
        });
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
    case operation::transpose:
        reference::transpose(
            reference::transpose_arguments<float>{.input = in, .in = n.in, .axes = n.axes, .output = output});
        break;
    case operation::pad:
        reference::pad(reference::pad_arguments<float>{.input = in,
                                                       .in = n.in,
                                                       .out = n.out,
                                                       .pad_top = n.over.pad_top,
                                                       .pad_left = n.over.pad_left,
                                                       .value = 0.0F,
                                                       .output = output});
        break;
    case operation::broadcast:
        reference::broadcast(in, n.in, n.out, output);
        break;
    case operation::upsample:
        reference::upsample(in, n.in, n.out, output);
        break;
    case operation::softmax:
        reference::softmax(reference::float_softmax_arguments{.input = in, .in = n.in, .output = output});
        break;
    case operation::convert: // the reals stay what they are
        std::copy_n(in, n.out.size(), output);
        break;
    case operation::input:
    case operation::reshape:
        break; // no data moves: the executions handle them
    }
}

} // namespace statiq::detail
