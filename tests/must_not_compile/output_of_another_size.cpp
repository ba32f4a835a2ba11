// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a call takes another number of values
// rejects: check_extent(\(\) .with .*Expected = 4; .*Found = 3|<4U*L*, 3U*L*>)
#include <statiq/execute/model.hpp>

#include <array>

using namespace statiq;

struct net final : network<decltype(input<1, 1, 3> | named<"a">(dense<4>) | relu | dense<2> | outputs<"a">)> {};
using numbers = numbers_chosen<deployed<net>, quantized<8>, quantized<8, asymmetric>>;

#ifdef STATIQ_REJECT
using memory = std::array<float, 3>;
#else
using memory = std::array<float, 4>;
#endif

void show(const model<numbers>& of, memory& to) { of.output<"a">(to); }
