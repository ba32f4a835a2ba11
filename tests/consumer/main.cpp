// SPDX-License-Identifier: Apache-2.0
#include <statiq/statiq.hpp>

#include <cstdio>

namespace sq = statiq;

using weight = sq::quantized<8, sq::symmetric, sq::per_channel>;
static_assert(weight::format.highest == 127);

int main() {
    std::printf("statiq %d.%d.%d\n", STATIQ_VERSION_MAJOR, STATIQ_VERSION_MINOR, STATIQ_VERSION_PATCH);
    return 0;
}
