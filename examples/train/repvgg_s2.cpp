// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/repvgg.hpp>

#include "make_trainee.hpp"

namespace train {
using repvgg_s2_network = sq::networks::repvgg_small<sq::networks::repvgg_blocks_s2>;
template std::unique_ptr<trainee> make_trainee<repvgg_s2_network>(const beginning&);
template integer_run run_integers<repvgg_s2_network>;
} // namespace train
