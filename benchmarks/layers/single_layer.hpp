// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

#include "../network_benchmark.hpp"

namespace benchmarks {

/// One convolution with ReLU as a network: timed through the code that runs it in a larger one.
template <int Extent, int Channels, auto Layer>
struct single_layer final : statiq::network<decltype(statiq::input<Extent, Extent, Channels> | Layer | statiq::relu)> {
};

template <int Extent, int Channels, int OutChannels>
bool register_pointwise(const std::string& name) {
    return register_network<single_layer<Extent, Channels, statiq::pointwise<OutChannels>>>(name);
}
template <int Extent, int Channels, int Stride>
bool register_depthwise(const std::string& name) {
    return register_network<single_layer<Extent, Channels, statiq::depthwise(statiq::stride<Stride>)>>(name);
}
template <int Extent, int Channels, int OutChannels, int Stride>
bool register_conv3x3(const std::string& name) {
    return register_network<
        single_layer<Extent, Channels, statiq::conv<OutChannels>(statiq::kernel<3>, statiq::stride<Stride>)>>(name);
}

} // namespace benchmarks
