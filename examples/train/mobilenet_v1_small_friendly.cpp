// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mobilenet_v1.hpp>

#include "make_trainee.hpp"

namespace train {
using mobilenet_v1_small_friendly_network =
    sq::networks::mobilenet_v1_small<sq::networks::quantization_friendly_blocks>;
template std::unique_ptr<trainee> make_trainee<mobilenet_v1_small_friendly_network>(const beginning&);
template integer_run run_integers<mobilenet_v1_small_friendly_network>;
} // namespace train
