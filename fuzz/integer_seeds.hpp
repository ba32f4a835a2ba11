// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "integer_nets.hpp"
#include <cstddef>
#include <cstdint>

namespace fuzz {

/// Valid integers of `integer_net`, all weights alike.
inline statiq::quantized_parameters<integer_net> integers_of(std::int32_t weight) {
    statiq::quantized_parameters<integer_net> made;
    for (std::size_t i = 0; i < statiq::node_count<integer_net>; ++i) {
        const statiq::node& n = integer_net::nodes[i];
        const auto channels = static_cast<std::size_t>(n.out.channels);
        made[i].output = {0.25F, 128};
        if (statiq::detail::keeps_numbers(n.kind)) made[i].output = made[static_cast<std::size_t>(n.input())].output;
        if (n.facts->fixed_output != nullptr) made[i].output = n.facts->fixed_output(n.numbers.activation);
        if (!n.is_linear()) continue;
        made[i].weight.assign(n.convolution().weight_count(), weight);
        made[i].weight_map.assign(channels, {0.01F, 0});
        made[i].bias.assign(channels, n.has_bias ? 1000 : 0);
    }
    return made;
}

} // namespace fuzz
