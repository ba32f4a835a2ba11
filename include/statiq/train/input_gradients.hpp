// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <type_traits>

namespace statiq::detail {

/// What an operation's `gradient` and `parameter_gradient` read and write, for one sample: the gradient of its input
/// number k, or its share of the gradients of the operation's own parameters.
template <std::floating_point Real>
struct gradient_call {
    using real = Real;
    const node* nodes; ///< of the whole graph
    const node& n;
    std::size_t k;
    extents in;                                 ///< of that input
    std::array<const Real*, max_inputs> inputs; ///< what the node has read, of an operation that `keeps_input`
    const Real* output;                         ///< what it has written, of one that `keeps_output`
    const Real* output_gradient;                ///< before any fused clamp
    /// Of an input: all written; it may be the output's, of one whose `gradient_stays`. Of parameters: added to, since
    /// samples share them; laid out as `parameters`.
    Real* gradient;
    const Real* parameters = nullptr; ///< its own, all tensors one behind the other

    [[nodiscard]] const Real* input(std::size_t which) const { return inputs[which]; }
    [[nodiscard]] const extents& input_extents(std::size_t which) const { return nodes[n.inputs[which]].out; }
};

/// Makes the gradient of an input, whatever of the list the node computes.
template <class List, std::floating_point Real>
void give_gradient(const gradient_call<Real>& call) {
    visit_operation(List{}, call.n.facts, [&]<class Op>(std::type_identity<Op>) {
        if constexpr (has_gradient<Op>) Op::gradient(call);
    });
}
/// Adds to the gradients of its parameters.
template <class List, std::floating_point Real>
void add_parameter_gradient(const gradient_call<Real>& call) {
    visit_operation(List{}, call.n.facts, [&]<class Op>(std::type_identity<Op>) {
        if constexpr (has_parameter_gradient<Op>) Op::parameter_gradient(call);
    });
}

} // namespace statiq::detail
