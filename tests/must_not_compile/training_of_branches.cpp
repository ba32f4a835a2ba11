// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: branches merge when this network is deployed; train deployed<Net> in their place
#include <statiq/train/quantized_training_network.hpp>

using namespace statiq;

struct block final
    : network<decltype(input<4, 4, 2> | add(conv<2>(kernel<3>) | batch_norm, pointwise<2> | batch_norm) | relu)> {};

#ifdef STATIQ_REJECT
using trained = block;
#else
using trained = deployed<block>;
#endif

static_assert(
    sizeof(quantized_training_network<trained, numbers_chosen<deployed<trained>, quantized<8>, quantized<8>>>) > 0);
