// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/simd/target.hpp>

#include <cstddef>

namespace statiq {

/// Bytes of stack that one inference takes at most on the thread that calls it, and on every other thread of an
/// executor that takes part: in `integer_network`, `float_network` and `weight_only_network`, whatever the network's
/// layers, from the call of `run` down. No single frame has more than 8 kB. The bound is for optimized code (-O1 and
/// up) without sanitizers, of GCC and Clang, on every instruction set; what an observer takes comes on top.
/// @tparam Q the graph that runs: one whose numbers are chosen, or a float graph.
template <graph_type Q>
inline constexpr std::size_t stack_bytes = (simd::has_vector_kernels ? 20 : 8) * 1024;

} // namespace statiq
