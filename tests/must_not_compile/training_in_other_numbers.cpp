// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: quantized training uses the numbers of the deployed network
#include <statiq/train/quantized_training_network.hpp>

using namespace statiq;

struct net final : network<decltype(input<4, 4, 2> | conv<2>(kernel<3>) | relu)> {};
struct other final : network<decltype(input<4, 4, 2> | conv<3>(kernel<3>) | relu)> {};

#ifdef STATIQ_REJECT
using numbers = numbers_chosen<deployed<other>, quantized<8>, quantized<8>>;
#else
using numbers = numbers_chosen<deployed<net>, quantized<8>, quantized<8>>;
#endif

static_assert(sizeof(quantized_training_network<net, numbers>) > 0);
