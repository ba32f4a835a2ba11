// SPDX-License-Identifier: Apache-2.0
// rejects: bytes_need_a_linear_layer<statiq::layer_name<'m', ?'a', ?'x'
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/fold_input.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = [] { return input<8, 8, 3> | max_pool(kernel<2>) | conv<8>(kernel<3>, valid); };
#else
constexpr auto body = [] { return input<8, 8, 3> | conv<8>(kernel<3>, valid) | max_pool(kernel<2>); };
#endif
struct net final : network<decltype(body)> {};

using folded = input_folded<deployed<net>, byte_image<channel_means<127.5>, channel_deviations<127.5>>>;
static_assert(folded::nodes.size() == 3);
