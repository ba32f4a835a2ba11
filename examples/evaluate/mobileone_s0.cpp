// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mobileone.hpp>

#include "load.hpp"

namespace evaluate {

// The published weights are those of the deployed form.
subject mobileone_s0(const std::filesystem::path& weights) {
    return load<sq::deployed<sq::networks::mobileone_s0<>>>(weights, sq::io::imagenet_normalization());
}

} // namespace evaluate
