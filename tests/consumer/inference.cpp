// SPDX-License-Identifier: Apache-2.0
// What a program needs that defines and runs a network.
#include <statiq/execute/integer_network.hpp>
#include <statiq/execute/prepare.hpp>
#include <statiq/passes/deploy.hpp>

#include <cstdio>

namespace sq = statiq;

struct classifier final : sq::network<decltype(sq::input<4, 4, 1> | sq::conv<2>(sq::kernel<3>) | sq::relu)> {};
using numbers = sq::numbers_chosen<sq::deployed<classifier>, sq::quantized<8, sq::symmetric, sq::per_channel>,
                                   sq::quantized<8, sq::asymmetric>>;

int main() {
    std::printf("%zu bytes of arena\n", sq::integer_network<numbers>::arena_size);
    return 0;
}
