// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/digits.hpp>

#include "make_trainee.hpp"

namespace train {

using digits_network = sq::networks::digits;

std::unique_ptr<trainee> digits(const beginning& with) { return make_trainee<digits_network>(with); }

std::vector<float> digits_integers(const sq::network_data& deployed, const std::string& scheme,
                                   std::span<const sq::range> ranges, const sq::io::image_set& images,
                                   std::size_t count) {
    return run_integers<digits_network>(deployed, scheme, ranges, images, count);
}

} // namespace train
