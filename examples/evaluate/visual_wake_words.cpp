// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/visual_wake_words.hpp>

#include "load.hpp"

namespace evaluate {

subject visual_wake_words(const std::filesystem::path& weights) {
    return load<sq::networks::visual_wake_words>(weights, {.scale = {1.0F / 255.0F}, .offset = {0.0F}});
}

} // namespace evaluate
