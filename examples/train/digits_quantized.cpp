// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/digits.hpp>

#include "make_quantized_trainee.hpp"

namespace train {

std::unique_ptr<trainee> digits_quantized(const beginning& with) {
    return make_quantized_trainee<sq::networks::digits>(with);
}

} // namespace train
