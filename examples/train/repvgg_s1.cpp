// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/repvgg.hpp>

#include "make_trainee.hpp"

namespace train {
using repvgg_s1_network = sq::networks::repvgg_small<sq::networks::repvgg_blocks_s1>;
template std::unique_ptr<trainee> make_trainee<repvgg_s1_network>(const beginning&);
template integer_run run_integers<repvgg_s1_network>;
} // namespace train
