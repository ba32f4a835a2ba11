// SPDX-License-Identifier: Apache-2.0
// rejects: not_deployed<statiq::layer_name<'a', '.', 'b', 'n'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>

using namespace statiq;

constexpr auto body = input<8, 8, 8> | named<"a">(conv<8>(kernel<3>) | batch_norm | relu);
struct net final : network<decltype(body)> {};

#ifdef STATIQ_REJECT
using given = net;
#else
using given = deployed<net>;
#endif

static_assert(node_count<numbers_chosen<given, quantized<8>, quantized<8, asymmetric>>> > 0);
