// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/repvgg.hpp>

#include "evaluate.hpp"

namespace demo {

int repvgg_small(const options& chosen) {
    return evaluate<sq::networks::repvgg_small<>>(
        "RepVGG, eight blocks", chosen, sq::io::normalized({.4914F, .4822F, .4465F}, {.2470F, .2435F, .2616F}));
}

} // namespace demo
