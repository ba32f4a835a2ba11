// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: network<...> takes the type of a part, or of a function that returns one
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = [] { return 3; };
#else
constexpr auto body = [] { return input<8, 8, 3> | conv<8>; };
#endif

struct net final : network<decltype(body)> {};
