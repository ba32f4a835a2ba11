// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mobileone.hpp>

#include "evaluate.hpp"

namespace demo {

// The published weights are those of the deployed form.
int mobileone_s0(const options& chosen) {
    return evaluate<sq::deployed<sq::networks::mobileone_s0<>>>("MobileOne-S0", chosen,
                                                                sq::io::imagenet_normalization());
}

} // namespace demo
