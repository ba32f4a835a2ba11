// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mobilenet_v1.hpp>

#include "make_trainee.hpp"

namespace train {

using mobilenet_v1_small_plain_depthwise_network =
    sq::networks::mobilenet_v1_small<sq::networks::plain_depthwise_blocks>;

std::unique_ptr<trainee> mobilenet_v1_small_plain_depthwise(const beginning& with) {
    return make_trainee<mobilenet_v1_small_plain_depthwise_network>(with);
}

std::vector<float> mobilenet_v1_small_plain_depthwise_integers(const sq::network_data& deployed,
                                                               const std::string& scheme,
                                                               std::span<const sq::range> ranges,
                                                               const sq::io::image_set& images, std::size_t count) {
    return run_integers<mobilenet_v1_small_plain_depthwise_network>(deployed, scheme, ranges, images, count);
}

} // namespace train
