// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/operation.hpp>
#include <statiq/operations/add.hpp>
#include <statiq/operations/average_pool.hpp>
#include <statiq/operations/batch_norm.hpp>
#include <statiq/operations/broadcast.hpp>
#include <statiq/operations/clamp.hpp>
#include <statiq/operations/concat.hpp>
#include <statiq/operations/convert.hpp>
#include <statiq/operations/convolution.hpp>
#include <statiq/operations/dense.hpp>
#include <statiq/operations/functions.hpp>
#include <statiq/operations/global_average_pool.hpp>
#include <statiq/operations/input.hpp>
#include <statiq/operations/max_pool.hpp>
#include <statiq/operations/multiply.hpp>
#include <statiq/operations/pad.hpp>
#include <statiq/operations/reshape.hpp>
#include <statiq/operations/softmax.hpp>
#include <statiq/operations/transpose.hpp>
#include <statiq/operations/upsample.hpp>

namespace statiq::operations {

/// Every operation of the library.
using library = operation_list<add, average_pool, batch_norm, broadcast, clamp, concat, convert, convolution, dense,
                               global_average_pool, input, max_pool, multiply, pad, reshape, softmax, table_softmax,
                               transpose, upsample>;

} // namespace statiq::operations

namespace statiq {

namespace vocabulary {
/// What a program has put together rather than written down.
template <layer_spec Spec>
struct specified {
    using operation =
        typename detail::operation_in<detail::place_in(operations::library{}, Spec.facts), operations::library>::type;
    static constexpr layer_spec spec = Spec;
};
} // namespace vocabulary

/// The library's operations, and those of the graph that are not: what executions of nodes that are known when the
/// program runs are compiled for. Networks of the library's operations alone share one.
template <graph_type G>
using execution_list = operations_of_both<operations::library, operations_of<G>>;

/// A layer of the library that a program has put together:
/// `layer_from<layer_spec{.facts = &facts_of<operations::dense>, .out_channels = 10}>`.
template <layer_spec Spec>
inline constexpr layer<vocabulary::specified<Spec>> layer_from{};

} // namespace statiq
