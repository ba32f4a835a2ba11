// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/executor.hpp>
#include <statiq/execute/integer_parameters.hpp>
#include <statiq/execute/run_parts.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/kernels/add.hpp>
#include <statiq/kernels/concat.hpp>
#include <statiq/kernels/convert.hpp>
#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/mean.hpp>
#include <statiq/kernels/pool.hpp>
#include <statiq/kernels/reference/broadcast.hpp>
#include <statiq/kernels/reference/rearrange.hpp>
#include <statiq/kernels/reference/upsample.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace statiq::detail {

/// Where one linear node's integers lie.
template <class Weight, class Scheme>
struct linear_view {
    const kernels::stored_weight<Weight>* weights = nullptr;
    const std::int32_t* biases = nullptr;
    const std::int32_t* corrected = nullptr;
    const std::int32_t* zero_points = nullptr;
    const typename Scheme::factor* factors = nullptr;
    kernels::memory_ahead ahead{}; ///< the next layer's weights
};

/// Kinds of operations: bit k stands for kind number k.
using operation_set = std::uint32_t;
inline constexpr operation_set every_operation = ~operation_set{0};
constexpr bool has_operation(operation_set all, operation kind) {
    return (all >> static_cast<unsigned>(kind)) % 2 == 1;
}
template <std::size_t Size>
constexpr operation_set operations_of(const node_array<Size>& nodes) {
    operation_set all = 0;
    for (const node& n : nodes) all |= operation_set{1} << static_cast<unsigned>(n.kind);
    return all;
}

/// The loop nests of a graph's integer convolutions.
template <std::size_t Size>
constexpr kernels::nest_set integer_nests_of(const node_array<Size>& nodes) {
    kernels::nest_set nests;
    for (const node& n : nodes) {
        if (!n.is_linear() || n.numbers.activation.floating) continue;
        const number_format& input = nodes[static_cast<std::size_t>(n.inputs[0])].numbers.activation;
        constexpr int lanes = simd::word_lanes<simd::native_arch>;
        visit_byte_weights(storage_of_weights(n, input), [&]<class Weight>(std::type_identity<Weight>) {
            const kernels::nest chosen =
                kernels::byte_nest_of<Weight>(n.convolution(), has_weight_zero_points(n, input), lanes);
            nests = nests.with(kernels::nests_of<Weight>(n.convolution(), chosen, lanes));
        });
    }
    return nests;
}

/// Computes a linear node in integers.
/// @tparam PairSums, Nests as `kernels::convolution` takes them. @param scratch as `convolve_in_parts` takes it.
template <int PairSums, kernels::nest_set Nests, class In, class Weight, class Out, class Scheme, class Executor>
constexpr void linear_step(const node& n, const In* input, std::int32_t input_zero_point,
                           const linear_view<Weight, Scheme>& from, const node_constants<Scheme>& constants,
                           Out* output, kernels::scratch_memory scratch, Executor& threads) noexcept {
    convolve_in_parts(
        threads,
        kernels::convolution_arguments<In, Weight, Out, Scheme>{.input = input,
                                                                .weights = from.weights,
                                                                .bias = from.biases,
                                                                .corrected_bias = from.corrected,
                                                                .weight_zero_points = from.zero_points,
                                                                .factors = from.factors,
                                                                .input_zero_point = input_zero_point,
                                                                .output_zero_point = constants.output.zero_point,
                                                                .lowest = constants.lowest,
                                                                .highest = constants.highest,
                                                                .output = output,
                                                                .ahead = from.ahead,
                                                                .scratch = scratch},
        n.convolution(), [](const auto& arguments, const convolution_shape& shape) {
            kernels::convolution<PairSums, Nests>(arguments, shape);
        });
}

/// Computes a node whose output integers keep its input's scale and zero point: pools, activations, rearrangements.
template <operation_set Operations, class T, class Scheme, class Executor>
constexpr void keeping_step(const node& n, const T* in, std::int32_t zero_point,
                            const node_constants<Scheme>& constants, T* output, Executor& threads) noexcept {
    namespace reference = kernels::reference;
    const reference::pool_arguments<T> pool{.input = in,
                                            .in = n.in,
                                            .out = n.out,
                                            .over = n.over,
                                            .lowest = constants.lowest,
                                            .highest = constants.highest,
                                            .output = output};
    switch (n.kind) {
    case operation::max_pool:
        if constexpr (has_operation(Operations, operation::max_pool)) {
            pool_in_parts(threads, pool, [](const auto& part) { kernels::max_pool(part); });
        }
        break;
    case operation::average_pool:
        if constexpr (has_operation(Operations, operation::average_pool)) {
            pool_in_parts(threads, pool, [](const auto& part) { kernels::average_pool(part); });
        }
        break;
    case operation::transpose:
        reference::transpose(
            reference::transpose_arguments<T>{.input = in, .in = n.in, .axes = n.axes, .output = output});
        break;
    case operation::pad:
        reference::pad(reference::pad_arguments<T>{.input = in,
                                                   .in = n.in,
                                                   .out = n.out,
                                                   .pad_top = n.over.pad_top,
                                                   .pad_left = n.over.pad_left,
                                                   .value = static_cast<T>(zero_point),
                                                   .output = output});
        break;
    case operation::broadcast:
        reference::broadcast(in, n.in, n.out, output);
        break;
    case operation::upsample:
        reference::upsample(in, n.in, n.out, output);
        break;
    default:
        in_runs(threads, n.out.size(), [&](std::size_t first, std::size_t count) {
            kernels::clamp(reference::clamp_arguments<T>{.input = in + first,
                                                         .size = count,
                                                         .lowest = constants.lowest,
                                                         .highest = constants.highest,
                                                         .output = output + first});
        });
        break;
    }
}

/// Computes any other node whose inputs are all of type In, in integers. `zero_points` are the inputs';
/// `table` is a softmax's, if it has one.
/// @tparam Operations what is compiled: the node's is one of them.
template <operation_set Operations, class In, class Out, class Scheme, class Executor = sequential>
constexpr void integer_step(const node* nodes, const node& n, std::span<const In* const> inputs,
                            std::span<const std::int32_t> zero_points, const node_constants<Scheme>& constants,
                            const float* table, Out* output, Executor&& threads = {}) noexcept {
    namespace reference = kernels::reference;
    const In* in = inputs[0];
    if (keeps_numbers(n.kind)) {
        if constexpr (std::is_same_v<In, Out>)
            keeping_step<Operations>(n, in, zero_points[0], constants, output, threads);
        return;
    }
    switch (n.kind) {
    case operation::global_average_pool:
        if constexpr (has_operation(Operations, operation::global_average_pool)) {
            kernels::mean<Scheme>(
                reference::mean_arguments<In, Out, Scheme>{.input = in,
                                                           .in = n.in,
                                                           .input_zero_point = zero_points[0],
                                                           .factor = constants.factor,
                                                           .output_zero_point = constants.output.zero_point,
                                                           .lowest = constants.lowest,
                                                           .highest = constants.highest,
                                                           .output = output});
        }
        break;
    case operation::add: {
        if constexpr (has_operation(Operations, operation::add)) {
            in_runs(threads, n.out.size(), [&](std::size_t first, std::size_t count) {
                std::array<reference::add_input<In, Scheme>, max_inputs> terms{};
                for (std::size_t k = 0; k < inputs.size(); ++k)
                    terms[k] = {inputs[k] + first, zero_points[k], constants.join.inputs[k]};
                kernels::add(reference::add_arguments<In, Out, Scheme>{.inputs = {terms.data(), inputs.size()},
                                                                       .size = count,
                                                                       .left_shift = constants.join.left_shift,
                                                                       .factor = constants.join.output,
                                                                       .output_zero_point = constants.output.zero_point,
                                                                       .lowest = constants.lowest,
                                                                       .highest = constants.highest,
                                                                       .output = output + first});
            });
        }
        break;
    }
    case operation::concat: {
        if constexpr (has_operation(Operations, operation::concat)) {
            int first = 0;
            for (std::size_t k = 0; k < inputs.size(); ++k) {
                const extents& part = nodes[n.inputs[k]].out;
                kernels::concat<Scheme>(
                    reference::concat_arguments<In, Out, Scheme>{.input = inputs[k],
                                                                 .in = part,
                                                                 .input_zero_point = zero_points[k],
                                                                 .factor = constants.join.inputs[k],
                                                                 .output_zero_point = constants.output.zero_point,
                                                                 .lowest = constants.lowest,
                                                                 .highest = constants.highest,
                                                                 .channels = n.out.channels,
                                                                 .first_channel = first,
                                                                 .output = output});
                first += part.channels;
            }
        }
        break;
    }
    case operation::softmax:
        if constexpr (sizeof(Out) == 1) {
            if constexpr (sizeof(In) == 1)
                if (n.by_table) {
                    reference::table_softmax(reference::table_softmax_arguments<In, Out>{
                        .input = in, .in = n.in, .table = table, .output = output});
                    break;
                }
            reference::softmax(reference::softmax_arguments<In, Out>{
                .input = in, .in = n.in, .parameters = constants.softmax, .output = output});
        }
        break;
    case operation::convert:
        if constexpr (has_operation(Operations, operation::convert)) {
            in_runs(threads, n.out.size(), [&](std::size_t first, std::size_t count) {
                kernels::requantize<Scheme>(
                    reference::requantize_arguments<In, Out, Scheme>{.input = in + first,
                                                                     .size = count,
                                                                     .input_zero_point = zero_points[0],
                                                                     .factor = constants.factor,
                                                                     .output_zero_point = constants.output.zero_point,
                                                                     .lowest = constants.lowest,
                                                                     .highest = constants.highest,
                                                                     .output = output + first});
            });
        }
        break;
    default:
        break; // linear nodes have a step of their own; input and flatten move no data
    }
}

} // namespace statiq::detail
