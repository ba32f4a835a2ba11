// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/digits.hpp>

#include "load.hpp"

namespace evaluate {

subject digits(const std::filesystem::path& weights) {
    return load<sq::networks::digits>(weights, {.scale = {1.0F / 8.0F}, .offset = {-1.0F}});
}

} // namespace evaluate
