// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution.hpp>

#include <doctest/doctest.h>

#include "../simd/archs.hpp"
#include "convolution_cases.hpp"
#include <limits>
#include <typeinfo>

namespace convolution_cases {

/// The kernels of some instruction sets against the reference.
/// @tparam PairSums what the kernels are told of the weights, which then lie in [-magnitude - 1, magnitude].
template <int PairSums, class Scheme, class In, class Natural, class Out, class... Archs>
void check_narrow_vectors(unsigned seed, int trials, int magnitude, statiq::simd::arch_list<Archs...> archs) {
    generator random(seed);
    for (int trial = 0; trial < trials; ++trial)
        for (const kind k : {kind::any, kind::pointwise, kind::depthwise, kind::dense, kind::image}) {
            const convolution_shape shape = random_shape(random, k);
            const integer_case<Scheme, In, Natural, Out> c(random, shape, trial % 2 == 0, magnitude);
            INFO(describe(shape), ", zero points ", !c.zero_points.empty());
            auto expected = c.empty_output();
            statiq::kernels::reference::convolution(c.args(expected), shape);
            for_each_arch(archs, [&](auto arch) {
                INFO(typeid(arch).name());
                auto output = c.empty_output();
                statiq::kernels::convolution<PairSums>(c.args(output), shape, arch);
                CHECK(output == expected);
            });
        }
}

template <class Scheme, class In, class Natural, class Out, class... Archs>
void check_vectors(unsigned seed, int trials, statiq::simd::arch_list<Archs...> archs) {
    check_narrow_vectors<0, Scheme, In, Natural, Out>(seed, trials, std::numeric_limits<Natural>::max(), archs);
}

} // namespace convolution_cases
