// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/float_network.hpp>
#include <statiq/execute/integer_network.hpp>
#include <statiq/execute/weight_only_network.hpp>
#include <statiq/graph/compose.hpp>
#include <statiq/graph/layer.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/numeric/number.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>

/// A network with every loop nest of convolutions, and what else there is, in every execution.
namespace stack {

struct every_nest final
    : statiq::network<
          decltype(statiq::input<33, 35, 3> | statiq::conv<40>(statiq::kernel<3>, statiq::stride<2>) | statiq::relu |
                   statiq::depthwise(statiq::kernel<3>) | statiq::relu6 | statiq::conv<72> |
                   statiq::add(statiq::conv<72>(statiq::kernel<3>) | statiq::relu, statiq::identity) |
                   statiq::depthwise(statiq::kernel<5>) | statiq::depthwise(statiq::kernel<3>, statiq::stride<2>) |
                   statiq::depthwise(statiq::kernel<7>) | statiq::conv<8>(statiq::groups<4>, statiq::kernel<3>) |
                   statiq::depthwise(statiq::kernel<3>) | statiq::depthwise(statiq::kernel<5>) |
                   statiq::depthwise(statiq::kernel<5>, statiq::stride<2>) |
                   statiq::concat(statiq::max_pool, statiq::average_pool) | statiq::global_average_pool |
                   statiq::dense<10> | statiq::softmax)> {};

using byte = statiq::quantized<8, statiq::asymmetric>;
using bytes = statiq::quantized<8, statiq::symmetric, statiq::per_channel>;
using nibbles = statiq::quantized<4, statiq::symmetric, statiq::per_channel>;

template <class Weight, class Activation>
using numbers = statiq::numbers_chosen<statiq::deployed<every_nest>, Weight, Activation>;

using bytes_network = statiq::integer_network<numbers<bytes, byte>, statiq::float_multiplier>;
using zero_points_network = statiq::integer_network<numbers<byte, byte>, statiq::gemmlowp>;
using nibbles_network = statiq::integer_network<numbers<nibbles, byte>, statiq::float_multiplier>;
using reals_network = statiq::float_network<statiq::deployed<every_nest>>;
using reals_of_nibbles_network = statiq::weight_only_network<numbers<nibbles, statiq::float32>>;

} // namespace stack
