// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/vgg.hpp>

#include "make_trainee.hpp"

namespace train {

using vgg16_cifar_network = sq::networks::vgg16_cifar<>;

std::unique_ptr<trainee> vgg16_cifar(const beginning& with) { return make_trainee<vgg16_cifar_network>(with); }

std::vector<float> vgg16_cifar_integers(const sq::network_data& deployed, const std::string& scheme,
                                        std::span<const sq::range> ranges, const sq::io::image_set& images,
                                        std::size_t count) {
    return run_integers<vgg16_cifar_network>(deployed, scheme, ranges, images, count);
}

} // namespace train
