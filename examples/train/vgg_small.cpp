// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/vgg.hpp>

#include "make_trainee.hpp"

namespace train {

using vgg_small_network = sq::networks::vgg_small;

std::unique_ptr<trainee> vgg_small(const beginning& with) { return make_trainee<vgg_small_network>(with); }

std::vector<float> vgg_small_integers(const sq::network_data& deployed, const std::string& scheme,
                                      std::span<const sq::range> ranges, const sq::io::image_set& images,
                                      std::size_t count) {
    return run_integers<vgg_small_network>(deployed, scheme, ranges, images, count);
}

} // namespace train
