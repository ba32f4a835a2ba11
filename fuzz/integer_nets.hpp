// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/model.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

/// A network with every kind of layer that has constants of its own, in integers.
namespace fuzz {

struct net final
    : statiq::network<
          decltype(statiq::input<4, 4, 2> | statiq::named<"conv">(statiq::conv<4>(statiq::kernel<3>) | statiq::relu6) |
                   statiq::residual(statiq::named<"dw">(statiq::depthwise)) |
                   statiq::concat(statiq::named<"left">(statiq::pointwise<2>), statiq::identity) | statiq::max_pool |
                   statiq::global_average_pool | statiq::named<"fc">(statiq::dense<3>) | statiq::softmax)> {};
using integer_net = statiq::numbers_chosen<statiq::deployed<net>, statiq::quantized<8, statiq::symmetric>,
                                           statiq::quantized<8, statiq::asymmetric>>;

/// Runs packed parameters on a few samples: every clamp, multiplier and table is used.
template <class Scheme>
void run(std::unique_ptr<statiq::integer_parameters<integer_net, Scheme>> parameters) {
    statiq::model<integer_net, Scheme> model(std::move(parameters));
    std::array<float, 4 * 4 * 2> sample{};
    for (const float step : {0.0F, 0.25F, -100.0F}) {
        for (std::size_t i = 0; i < sample.size(); ++i) sample[i] = step * static_cast<float>(i);
        (void)model(sample);
    }
}

} // namespace fuzz
