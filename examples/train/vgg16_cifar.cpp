// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/vgg.hpp>

#include "make_trainee.hpp"

namespace train {
using vgg16_cifar_network = sq::networks::vgg16_cifar<>;
template std::unique_ptr<trainee> make_trainee<vgg16_cifar_network>(const beginning&);
template integer_run run_integers<vgg16_cifar_network>;
} // namespace train
