// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/reference/pool.hpp>
#include <statiq/threads/executor.hpp>
#include <statiq/threads/run_parts.hpp>

#include <cstddef>
#include <type_traits>

namespace statiq::detail {

/// A float node's parameters, packed for the kernels. A batch norm holds scale and shift: y = scale x + shift.
struct float_step_parameters {
    const float* weights = nullptr; ///< or batch norm's scale
    const float* bias = nullptr;    ///< or batch norm's shift
};

/// The loop nests of a graph's float convolutions.
/// @param is_float is_float(node) of its linear nodes.
template <std::size_t Size, class IsFloat>
constexpr kernels::nest_set float_nests_of(const node_array<Size>& nodes, IsFloat is_float) {
    if (std::is_same_v<simd::native_arch, simd::dispatched>) return kernels::nest_set::all(); // the library has all
    kernels::nest_set nests;
    for (const node& n : nodes)
        if (n.is_linear() && is_float(n))
            nests = nests.with(kernels::nests_of<float>(n.convolution(), kernels::float_nest_of(n.convolution()),
                                                        simd::word_lanes<simd::native_arch>));
    return nests;
}

/// What an operation's `reals` reads and writes: one node in float.
/// @tparam Nests as `kernels::convolution` takes it
template <kernels::nest_set Nests, class Executor>
struct real_call {
    using in = float;

    const node* nodes; ///< of the whole graph
    const node& n;
    const float* const* tensors; ///< of the inputs, in order
    float_step_parameters parameters;
    float* output; ///< n.out.size() values
    kernels::scratch_memory scratch;
    Executor& threads;

    [[nodiscard]] std::size_t inputs() const noexcept { return static_cast<std::size_t>(n.input_count); }
    [[nodiscard]] const float* input(std::size_t k) const noexcept { return tensors[k]; }
    [[nodiscard]] const extents& input_extents(std::size_t k) const noexcept { return nodes[n.inputs[k]].out; }

    /// f(first, last) for parts of [0, units), perhaps at once. @param values that take as long as all units
    template <class F>
    void in_spans(int units, std::size_t values, const F& f) const noexcept {
        detail::in_spans(threads, units, values, f);
    }
    /// f(first, count) for runs of the output's values.
    template <class F>
    void in_runs(const F& f) const noexcept {
        detail::in_runs(threads, n.out.size(), f);
    }
    template <class F>
    void pool_rows(const kernels::reference::pool_arguments<float>& pool, const F& f) const noexcept {
        pool_in_parts(threads, pool, f);
    }
    /// The convolution of a linear node.
    void convolve() const noexcept {
        convolve_in_parts(threads,
                          kernels::float_convolution_arguments{.input = tensors[0],
                                                               .weights = parameters.weights,
                                                               .bias = parameters.bias,
                                                               .output = output,
                                                               .lowest = n.clamp.lowest,
                                                               .highest = n.clamp.highest,
                                                               .scratch = scratch},
                          n.convolution(), [](const auto& arguments, const convolution_shape& shape) {
                              kernels::convolution<Nests>(arguments, shape);
                          });
    }
};

/// Runs an operation's definition in float. That there is one has been checked for the graph.
template <class Op, class Call>
constexpr void run_reals(const Call& call) noexcept {
    if constexpr (has_reals<Op>) Op::reals(call);
}

/// Computes node `n` of `nodes` in float. Its operation is in the list. `inputs` are its input tensors in order,
/// `output` n.out.size() values.
/// @param scratch as `convolve_in_parts` takes it; empty for nodes that are not linear
template <class List, kernels::nest_set Nests = kernels::nest_set::all(), class Executor = sequential>
void compute_reals(const node* nodes, const node& n, const float* const* inputs, const float_step_parameters& from,
                   float* output, kernels::scratch_memory scratch, Executor&& threads = {}) noexcept {
    using call = real_call<Nests, std::remove_reference_t<Executor>>;
    visit_operation(List{}, n.facts, [&]<class Op>(std::type_identity<Op>) {
        run_reals<Op>(call{nodes, n, inputs, from, output, scratch, threads});
    });
}

} // namespace statiq::detail
