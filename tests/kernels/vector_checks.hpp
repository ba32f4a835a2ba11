// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution.hpp>

#include <doctest/doctest.h>

#include "../simd/archs.hpp"
#include "convolution_cases.hpp"
#include <typeinfo>

namespace convolution_cases {

/// The kernels of some instruction sets against the reference.
template <class Scheme, class In, class Natural, class Out, class... Archs>
void check_vectors(unsigned seed, int trials, statiq::simd::arch_list<Archs...> archs) {
    generator random(seed);
    for (int trial = 0; trial < trials; ++trial)
        for (const kind k : {kind::any, kind::pointwise, kind::depthwise, kind::dense}) {
            const convolution_shape shape = random_shape(random, k);
            const integer_case<Scheme, In, Natural, Out> c(random, shape, trial % 2 == 0);
            INFO(describe(shape), ", zero points ", !c.zero_points.empty());
            auto expected = c.empty_output();
            statiq::kernels::reference::convolution(c.args(expected), shape);
            for_each_arch(archs, [&](auto arch) {
                INFO(typeid(arch).name());
                auto output = c.empty_output();
                statiq::kernels::convolution(c.args(output), shape, arch);
                CHECK(output == expected);
            });
        }
}

} // namespace convolution_cases
