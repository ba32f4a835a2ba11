// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mobilenet_v1.hpp>

#include "evaluate.hpp"

namespace demo {

int mobilenet_v1_025(const options& chosen) {
    return evaluate<sq::networks::mobilenet_v1<25>>("MobileNetV1 0.25/224", chosen, sq::io::minus_one_to_one());
}

} // namespace demo
