// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/integer_parameters.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>
#include <statiq/kernels/scratch.hpp>

#include <algorithm>
#include <cstddef>

namespace statiq {

namespace detail {

/// The most scratch memory that one layer of a float execution needs, in bytes.
template <class Nodes>
constexpr std::size_t float_scratch_of(const Nodes& nodes) {
    std::size_t most = 0;
    for (const node& n : nodes)
        if (n.is_linear()) most = (std::max)(most, kernels::scratch_bytes<float>(n.convolution()));
    return kernels::whole_lines(most);
}

/// The same of an integer execution, some of whose layers may be float.
/// @param factor bytes of a requantization factor.
template <std::size_t Size>
constexpr std::size_t scratch_of(const node_array<Size>& nodes, std::size_t factor) {
    std::size_t most = 0;
    for (const node& n : nodes) {
        if (!n.is_linear()) continue;
        const convolution_shape shape = n.convolution();
        const number_format& input = nodes[static_cast<std::size_t>(n.input())].numbers.activation;
        if (n.numbers.activation.floating) {
            most = (std::max)(most, kernels::scratch_bytes<float>(shape));
        } else if (is_byte(input) && is_byte(n.numbers.activation)) {
            visit_byte_weights(storage_of_weights(n, input), [&]<class Weight>(std::type_identity<Weight>) {
                most = (std::max)(most, kernels::scratch_bytes<Weight>(shape, pair_sums_of(n, input), factor));
            });
        }
    }
    return kernels::whole_lines(most);
}

} // namespace detail

/// Bytes that the kernels of an integer network use while they run, besides activations: what its largest layer needs.
/// A network's arena holds them for every thread (`integer_network::arena_size_for`). The value is the same on every
/// instruction set with vector registers, and 0 where kernels are scalar (STATIQ_NO_SIMD).
/// @tparam Q a graph whose numbers are chosen.
template <graph_type Q>
inline constexpr std::size_t scratch_bytes = detail::scratch_of(Q::nodes, kernels::usual_factor_bytes);

} // namespace statiq
