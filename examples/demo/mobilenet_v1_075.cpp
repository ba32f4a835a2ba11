// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mobilenet_v1.hpp>

#include "evaluate.hpp"

namespace demo {

int mobilenet_v1_075(const options& chosen) {
    return evaluate<sq::networks::mobilenet_v1<75>>("MobileNetV1 0.75/224", chosen, sq::io::minus_one_to_one());
}

} // namespace demo
