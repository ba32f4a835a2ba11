// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/digits.hpp>

#include "make_trainee.hpp"

namespace train {
using digits_network = sq::networks::digits;
template std::unique_ptr<trainee> make_trainee<digits_network>(const beginning&);
template integer_run run_integers<digits_network>;
} // namespace train
