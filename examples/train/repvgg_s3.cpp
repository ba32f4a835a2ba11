// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/repvgg.hpp>

#include "make_trainee.hpp"

namespace train {

using repvgg_s3_network = sq::networks::repvgg_small<sq::networks::repvgg_blocks_s3>;

std::unique_ptr<trainee> repvgg_s3(const beginning& with) { return make_trainee<repvgg_s3_network>(with); }

std::vector<float> repvgg_s3_integers(const sq::network_data& deployed, const std::string& scheme,
                                      std::span<const sq::range> ranges, const sq::io::image_set& images,
                                      std::size_t count) {
    return run_integers<repvgg_s3_network>(deployed, scheme, ranges, images, count);
}

} // namespace train
