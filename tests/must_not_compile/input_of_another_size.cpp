// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a call takes another number of values
// rejects: check_extent(\(\) .with .*Expected = 12; .*Found = 4|<12U*L*, 4U*L*>)
#include <statiq/execute/float_network.hpp>

#include <array>

using namespace statiq;

struct net final : network<decltype(input<2, 2, 3> | conv<4>(kernel<1>))> {};

#ifdef STATIQ_REJECT
using sample = std::array<float, 4>;
#else
using sample = std::array<float, 12>;
#endif

float first(float_network<net>& of, const sample& values) { return of(values)[0]; }
