// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mobilenet_v1.hpp>

#include "load.hpp"

namespace evaluate {

subject mobilenet_v1_025(const std::filesystem::path& weights) {
    return load<sq::networks::mobilenet_v1<25>>(weights, sq::io::minus_one_to_one());
}

} // namespace evaluate
