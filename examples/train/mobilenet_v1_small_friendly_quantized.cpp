// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mobilenet_v1.hpp>

#include "make_quantized_trainee.hpp"

namespace train {

std::unique_ptr<trainee> mobilenet_v1_small_friendly_quantized(const beginning& with) {
    return make_quantized_trainee<sq::networks::mobilenet_v1_small<sq::networks::quantization_friendly_blocks>>(with);
}

} // namespace train
