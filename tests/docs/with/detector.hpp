// SPDX-License-Identifier: Apache-2.0
#pragma once

// A header as tools/convert_tflite.py writes them.
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/fuse_activations.hpp>

namespace detector {

struct network final : statiq::network<decltype(statiq::input<8, 8, 3> | statiq::conv<8> | statiq::relu |
                                                statiq::global_average_pool | statiq::dense<10>)> {};
using weight = statiq::quantized<8, statiq::symmetric, statiq::per_channel>;
using activation = statiq::quantized<8, statiq::asymmetric_signed>;
using numbers = statiq::numbers_chosen<statiq::activations_fused<network>, weight, activation>;

} // namespace detector
