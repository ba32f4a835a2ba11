// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/integer_parameters.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/kernels/convolution.hpp>
#include <statiq/threads/executor.hpp>
#include <statiq/threads/run_parts.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

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

/// The loop nests of a graph's integer convolutions.
template <std::size_t Size>
constexpr kernels::nest_set integer_nests_of(const node_array<Size>& nodes) {
    if (std::is_same_v<simd::native_arch, simd::dispatched>) return kernels::nest_set::all(); // the library has all
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

} // namespace statiq::detail
