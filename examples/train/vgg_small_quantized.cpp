// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/vgg.hpp>

#include "make_quantized_trainee.hpp"

namespace train {

std::unique_ptr<trainee> vgg_small_quantized(const beginning& with) {
    return make_quantized_trainee<sq::networks::vgg_small>(with);
}

} // namespace train
