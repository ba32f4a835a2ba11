// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace statiq {

/// Memory for the tensors of nodes that are known when the program runs: the memory plan of constant graphs, in pieces.
struct tensor_slots {
    std::vector<std::size_t> of_node; ///< of a reshape, nothing: it has its input's
    std::vector<std::size_t> sizes;   ///< of each slot, in values
};

/// Tensors that do not live at the same time share a slot; the last one and the network's outputs live to the end.
inline tensor_slots share_slots(std::span<const node> nodes) {
    tensor_slots slots;
    slots.of_node.resize(nodes.size());
    std::vector<std::size_t> last_reader(nodes.size());
    std::vector<std::size_t> origin(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const node& n = nodes[i];
        origin[i] = n.traits().moves_no_data ? origin[static_cast<std::size_t>(n.input())] : i;
        for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
            last_reader[origin[static_cast<std::size_t>(n.inputs[k])]] = i;
    }
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (i + 1 == nodes.size() || nodes[i].output != 0) last_reader[origin[i]] = nodes.size();
    std::vector<std::size_t> free;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (origin[i] == i) {
            const auto fitting = std::find_if(
                free.begin(), free.end(), [&](std::size_t slot) { return slots.sizes[slot] >= nodes[i].out.size(); });
            if (fitting != free.end()) {
                slots.of_node[i] = *fitting;
                free.erase(fitting);
            } else {
                slots.of_node[i] = slots.sizes.size();
                slots.sizes.push_back(nodes[i].out.size());
            }
        }
        for (std::size_t k = 0; k <= i; ++k)
            if (origin[k] == k && (std::max)(last_reader[k], k) == i) free.push_back(slots.of_node[k]);
    }
    return slots;
}

} // namespace statiq
