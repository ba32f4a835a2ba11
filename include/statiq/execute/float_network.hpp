// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/float_execution.hpp>
#include <statiq/execute/pack_float_layer.hpp>
#include <statiq/graph/lacking.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/graph/parameters.hpp>

#include <array>
#include <cstddef>

namespace statiq {

namespace detail {
struct float_network_words {
    static constexpr char input[] = "float_network: values of the input";
    static constexpr char runs[] = "float_network: runs at a time";
    static constexpr char shared[] = "float_network: bytes of the input that lie in its memory";
    static constexpr char unseen[] = "float_network: runs before an output is read";
};
} // namespace detail

/// The float execution of a graph: trained, or deployed. Memory for one thread is taken at construction, for more by
/// `reserve` or the first run that brings them; otherwise running allocates nothing. For one thread at a
/// time; copies are independent.
template <graph_type G>
class float_network : public detail::float_execution<float_network<G>, G, detail::float_network_words> {
    using execution = detail::float_execution<float_network<G>, G, detail::float_network_words>;
    static_assert(check_definitions<detail::reals_verdict<G>>::passed);

  public:
    explicit float_network(const parameters<G>& from) {
        for (std::size_t i = 0; i < node_count<G>; ++i) layers_[i] = pack_float_layer(G::nodes[i], from[i]);
    }

  private:
    friend execution;

    template <std::size_t I>
    [[nodiscard]] detail::float_step_parameters parameters_of() const noexcept {
        return layers_[I].view();
    }

    std::array<packed_float_layer, node_count<G>> layers_;
};

template <graph_type G>
float_network(const parameters<G>&) -> float_network<G>;

} // namespace statiq
