// SPDX-License-Identifier: Apache-2.0
// rejects: other_channels_in_bytes<statiq::layer_name<'i', ?'n', ?'p', ?'u', ?'t'>, 2, 3>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/fold_input.hpp>

using namespace statiq;

struct net final : network<decltype(input<1, 1, 3> | dense<4>)> {};

#ifdef STATIQ_REJECT
using pixels = byte_image<channel_means<123.5, 116.0>>;
#else
using pixels = byte_image<channel_means<123.5, 116.0, 103.5>>;
#endif
static_assert(node_count<input_folded<deployed<net>, pixels>> == 2);
