// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mobilenet_v1.hpp>

#include "make_quantized_trainee.hpp"

namespace train {
template std::unique_ptr<trainee> make_quantized_trainee<sq::networks::mobilenet_v1_small<>>(const beginning&);
} // namespace train
