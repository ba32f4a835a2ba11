// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/vgg.hpp>

#include "make_quantized_trainee.hpp"

namespace train {
template std::unique_ptr<trainee> make_quantized_trainee<sq::networks::vgg_small>(const beginning&);
} // namespace train
