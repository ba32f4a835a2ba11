// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/convolution/division.hpp>
#include <statiq/kernels/reference/pool.hpp>
#include <statiq/tensor/window.hpp>
#include <statiq/threads/executor.hpp>

#include <algorithm>
#include <cstddef>
#include <type_traits>

/// Kernel calls in parts, on an executor's threads. What is instantiated for an executor is the handing out: a part is
/// a call of the kernel that computes the whole.
namespace statiq::detail {

/// @param arguments with the scratch memory of the first part; the memory of the other parts follows it, one for each
/// part that the executor runs at once. @param convolve convolve(arguments, shape) computes one part.
template <class Executor, class Arguments, class Convolve>
constexpr void convolve_in_parts(Executor& threads, const Arguments& arguments, const convolution_shape& shape,
                                 Convolve convolve) {
    if constexpr (!is_sequential<std::remove_cvref_t<Executor>>) {
        const kernels::division by =
            kernels::division_of<typename Arguments::weight_type>(shape, threads.concurrency(), grain_of(threads));
        if (by.count() > 1) {
            threads.run(static_cast<std::size_t>(by.count()), [&](std::size_t index) {
                const auto part = kernels::part_of(arguments, shape, by, static_cast<int>(index));
                convolve(part.arguments, part.shape);
            });
            return;
        }
    }
    convolve(arguments, shape);
}

/// Calls work(first, last) for spans that together cover [0, units).
/// @param values the cost of all units, as a number of values to compute
template <class Executor, class Work>
constexpr void in_spans(Executor& threads, int units, std::size_t values, Work work) {
    if constexpr (!is_sequential<std::remove_cvref_t<Executor>>) {
        constexpr std::size_t value_cost = 64; // in products
        const std::size_t most = values * value_cost / grain_of(threads);
        const auto parts = static_cast<int>((std::min)({threads.concurrency(), most, static_cast<std::size_t>(units)}));
        if (parts > 1) {
            threads.run(static_cast<std::size_t>(parts), [&](std::size_t index) {
                const auto part = static_cast<int>(index);
                work(kernels::first_of_part(units, part, parts), kernels::first_of_part(units, part + 1, parts));
            });
            return;
        }
    }
    work(0, units);
}

/// work(first, count) for runs of values that together are [0, size).
template <class Executor, class Work>
constexpr void in_runs(Executor& threads, std::size_t size, Work work) {
    constexpr std::size_t line = 64;
    in_spans(threads, static_cast<int>((size + line - 1) / line), size, [&](int first, int last) {
        const std::size_t begin = static_cast<std::size_t>(first) * line;
        work(begin, (std::min)(size, static_cast<std::size_t>(last) * line) - begin);
    });
}

/// Calls run(part) for parts of a pool, each some rows of its output.
template <class Executor, class T, class Run>
constexpr void pool_in_parts(Executor& threads, const kernels::reference::pool_arguments<T>& pool, Run run) {
    const std::size_t values = pool.out.size() * static_cast<std::size_t>(pool.over.taps());
    in_spans(threads, pool.out.height, values, [&](int first, int last) {
        const kernels::row_part rows = kernels::rows_of(pool.in, pool.out, pool.over, first, last);
        auto part = pool;
        part.input += rows.input;
        part.output += rows.output;
        part.in = rows.in;
        part.out = rows.out;
        part.over = rows.over;
        run(part);
    });
}

} // namespace statiq::detail
