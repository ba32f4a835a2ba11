// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/diagnosis.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/numeric/number.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/plan/memory.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace statiq {

/// With this layer, the sum of a network's operations or parameters leaves int64.
template <class Layer>
struct count_exceeds_int64 : rejection {};

namespace detail {
constexpr std::int64_t multiply_accumulates_of(const node& n) {
    if (!n.is_linear()) return 0;
    return static_cast<std::int64_t>(n.out.size()) * n.convolution().reduction();
}
/// Learned numbers: weights and biases, batch norm's gamma and beta (its moving statistics are not counted).
constexpr std::int64_t parameter_count_of(const node& n) {
    std::int64_t count = 0;
    for (std::size_t t = 0; t < n.facts->tensor_count; ++t)
        if (const parameter_tensor& tensor = n.facts->tensors[t]; tensor.kind == parameter_kind::learned)
            count += static_cast<std::int64_t>(tensor.count(n));
    return count;
}
/// The first node with which a sum leaves int64, or -1.
template <graph_type G, auto Count>
constexpr int first_uncounted() {
    std::int64_t room = (std::numeric_limits<std::int64_t>::max)();
    for (std::size_t i = 0; i < node_count<G>; ++i) {
        const std::int64_t count = Count(G::nodes[i]);
        if (count > room) return static_cast<int>(i);
        room -= count;
    }
    return -1;
}
template <graph_type G, auto Count>
constexpr auto count_verdict() {
    constexpr int uncounted = first_uncounted<G, Count>();
    if constexpr (uncounted < 0) {
        return sound{};
    } else {
        constexpr node last = G::nodes[static_cast<std::size_t>(uncounted)];
        return count_exceeds_int64<spelt<last.name>>{};
    }
}
template <graph_type G, auto Count>
struct total {
    static constexpr std::int64_t value = [] {
        std::int64_t sum = 0;
        for (const node& n : G::nodes) {
            const std::int64_t count = Count(n);
            if (count > (std::numeric_limits<std::int64_t>::max)() - sum) break; // refused below
            sum += count;
        }
        return sum;
    }();
    static_assert(check_graph<decltype(count_verdict<G, Count>())>::passed);
};
} // namespace detail

/// Products summed in one inference.
template <graph_type G>
inline constexpr std::int64_t multiply_accumulates = detail::total<G, detail::multiply_accumulates_of>::value;

/// Learned parameters as they are usually counted.
template <graph_type G>
inline constexpr std::int64_t parameter_count = detail::total<G, detail::parameter_count_of>::value;

/// Bytes of activations that inference needs at once, without the caller's input: for a graph as it stands, or, given
/// an activation number type, for the deployed network in those numbers. It is the same on every machine. The arena of
/// an integer network has scratch memory besides (`integer_network::arena_size`).
template <graph_type G, number_type... Activation>
inline constexpr std::size_t arena_bytes = memory_plan_of<G>.arena_bytes;

template <graph_type G, number_type Activation>
inline constexpr std::size_t arena_bytes<G, Activation> =
    memory_plan_of<rewritten<
        detail::choose_numbers_pass<quantized<8>::format, Activation::format, quantized<8>::format>, deployed<G>>>
        .arena_bytes;

} // namespace statiq
