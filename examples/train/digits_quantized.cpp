// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/digits.hpp>

#include "make_quantized_trainee.hpp"

namespace train {
template std::unique_ptr<trainee> make_quantized_trainee<sq::networks::digits>(const beginning&);
} // namespace train
