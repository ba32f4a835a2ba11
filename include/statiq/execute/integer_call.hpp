// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/integer_parameters.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/kernels/add.hpp>
#include <statiq/kernels/concat.hpp>
#include <statiq/kernels/convert.hpp>
#include <statiq/kernels/look_up.hpp>
#include <statiq/kernels/mean.hpp>
#include <statiq/kernels/pool.hpp>
#include <statiq/threads/executor.hpp>
#include <statiq/threads/run_parts.hpp>

#include <cstddef>
#include <cstdint>

namespace statiq::detail {

/// The kernels for integers that operations call: each has a definition in kernels/reference/, and its bits.
struct integer_kernels {
    template <class In, class Out, class Scheme>
    static constexpr void add(const kernels::reference::add_arguments<In, Out, Scheme>& of) noexcept {
        kernels::add(of);
    }
    template <class In, class Out, class Scheme>
    static constexpr void concat(const kernels::reference::concat_arguments<In, Out, Scheme>& of) noexcept {
        kernels::concat<Scheme>(of);
    }
    template <class In, class Out, class Scheme>
    static constexpr void mean(const kernels::reference::mean_arguments<In, Out, Scheme>& of) noexcept {
        kernels::mean<Scheme>(of);
    }
    template <class In, class Out, class Scheme>
    static constexpr void requantize(const kernels::reference::requantize_arguments<In, Out, Scheme>& of) noexcept {
        kernels::requantize<Scheme>(of);
    }
    template <class T>
    static constexpr void clamp(const kernels::reference::clamp_arguments<T>& of) noexcept {
        kernels::clamp(of);
    }
    template <class In, class Out>
    static void look_up(const kernels::reference::look_up_arguments<In, Out>& of) noexcept {
        kernels::look_up(of);
    }
    template <class T>
    static constexpr void max_pool(const kernels::reference::pool_arguments<T>& of) noexcept {
        kernels::max_pool(of);
    }
    template <class T>
    static constexpr void average_pool(const kernels::reference::pool_arguments<T>& of) noexcept {
        kernels::average_pool(of);
    }
};

/// What an operation's `integers` reads and writes: one node whose inputs are all of type In.
template <class In, class Out, class Scheme, class Executor>
struct integer_call {
    using in = In;
    using out = Out;
    using scheme = Scheme;

    const node* nodes; ///< of the whole graph
    const node& n;
    const In* const* tensors; ///< of the inputs, in order
    const std::int32_t* zero_points;
    const node_constants<Scheme>& constants;
    const float* table; ///< of an operation that has one
    Out* output;        ///< n.out.size() integers
    Executor& threads;
    integer_kernels kernels{};

    [[nodiscard]] constexpr std::size_t inputs() const noexcept { return static_cast<std::size_t>(n.input_count); }
    [[nodiscard]] constexpr const In* input(std::size_t k) const noexcept { return tensors[k]; }
    [[nodiscard]] constexpr std::int32_t zero_point(std::size_t k) const noexcept { return zero_points[k]; }
    [[nodiscard]] constexpr const extents& input_extents(std::size_t k) const noexcept {
        return nodes[n.inputs[k]].out;
    }

    /// f(first, last) for parts of [0, units), perhaps at once. @param values that take as long as all units
    template <class F>
    constexpr void in_spans(int units, std::size_t values, const F& f) const noexcept {
        detail::in_spans(threads, units, values, f);
    }
    /// f(first, count) for runs of the output's values, perhaps at once.
    template <class F>
    constexpr void in_runs(const F& f) const noexcept {
        detail::in_runs(threads, n.out.size(), f);
    }
    template <class F>
    constexpr void pool_rows(const statiq::kernels::reference::pool_arguments<In>& pool, const F& f) const noexcept {
        pool_in_parts(threads, pool, f);
    }
};

/// Runs an operation's definition in integers; one that keeps its input's numbers has its input's type.
template <class Op, class In, class Out, class Scheme, class Executor>
constexpr void compute_integers(const integer_call<In, Out, Scheme, Executor>& call) noexcept {
    if constexpr (has_integers<Op> && (!Op::traits.keeps_numbers || std::is_same_v<In, Out>)) Op::integers(call);
}

} // namespace statiq::detail
