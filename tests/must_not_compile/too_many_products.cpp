// SPDX-License-Identifier: Apache-2.0
// rejects: count_exceeds_int64<statiq::layer_name<'c'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/plan/facts.hpp>

using namespace statiq;

// 46000^2 outputs of 46000^2 products each are 4.5e18; int64 ends at 9.2e18, behind two such layers.
#ifdef STATIQ_REJECT
constexpr auto last = conv<1>(kernel<46000>);
#else
constexpr auto last = conv<1>(kernel<3>);
#endif

constexpr auto body =
    input<46000, 46000, 1> | named<"a">(conv<1>(kernel<46000>)) | named<"b">(conv<1>(kernel<46000>)) | named<"c">(last);
struct net final : network<decltype(body)> {};
static_assert(multiply_accumulates<net> >= 0);
