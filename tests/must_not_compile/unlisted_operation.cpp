// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a pass puts in an operation that its `adds` does not name
#include <statiq/execute/float_network.hpp>

using namespace statiq;

/// Every clamp becomes a softmax.
struct replace_pass {
#ifndef STATIQ_REJECT
    using adds = operation_list<operations::softmax>;
#endif
    template <std::size_t Size>
    static constexpr auto run(const node_array<Size>& nodes) {
        detail::rewriting<Size> out;
        for (std::size_t i = 0; i < Size; ++i) {
            node n = nodes[i];
            if (n.traits().clamps) n.facts = &facts_of<operations::softmax>;
            out.keep(n, static_cast<int>(i));
        }
        return out;
    }
};

struct net final : network<decltype(input<1, 1, 8> | relu)> {};
struct replaced final : rewritten<replace_pass, net> {};
static_assert(sizeof(operation_at<replaced, 1>) > 0);
