// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/vgg.hpp>

#include "make_trainee.hpp"

namespace train {
using vgg_small_network = sq::networks::vgg_small;
template std::unique_ptr<trainee> make_trainee<vgg_small_network>(const beginning&);
template integer_run run_integers<vgg_small_network>;
} // namespace train
