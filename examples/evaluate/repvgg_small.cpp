// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/repvgg.hpp>

#include "load.hpp"

namespace evaluate {

subject repvgg_small(const std::filesystem::path& weights) {
    return load<sq::networks::repvgg_small<>>(weights,
                                              sq::io::normalized({.4914F, .4822F, .4465F}, {.2470F, .2435F, .2616F}));
}

} // namespace evaluate
