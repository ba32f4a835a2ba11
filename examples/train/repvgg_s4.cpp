// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/repvgg.hpp>

#include "make_trainee.hpp"

namespace train {
using repvgg_s4_network = sq::networks::repvgg_small<sq::networks::repvgg_blocks_s4>;
template std::unique_ptr<trainee> make_trainee<repvgg_s4_network>(const beginning&);
template integer_run run_integers<repvgg_s4_network>;
} // namespace train
