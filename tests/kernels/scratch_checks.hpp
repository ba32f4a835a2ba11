// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>

#include <doctest/doctest.h>

#include "../simd/archs.hpp"
#include "convolution_cases.hpp"
#include <cstddef>
#include <cstdint>
#include <typeinfo>

/// What convolutions need of scratch memory, and use. The checks stand in the tests that compile the same kernels.
namespace convolution_cases {

/// Common windows, which have loop nests of their own; few channels and few columns too.
inline convolution_shape depthwise_shape(generator& random) {
    const int side = draw(random, 0, 1) == 0 ? 3 : 5, channels = draw(random, 2, 40);
    convolution_shape shape{.in = {draw(random, 1, 9), draw(random, 1, 17), channels}, .groups = channels};
    shape.over = {side, side, draw(random, 1, 2), 1, 1, 1, draw(random, 0, side / 2), draw(random, 0, side / 2)};
    shape.over.stride_width = shape.over.stride_height;
    shape.out = {(shape.in.height + 1) / shape.over.stride_height, (shape.in.width + 1) / shape.over.stride_width,
                 channels};
    return shape;
}

inline convolution_shape any_scratch_shape(generator& random, int trial) {
    constexpr kind kinds[] = {kind::any, kind::pointwise, kind::depthwise, kind::dense, kind::image};
    return trial % 2 == 0 ? depthwise_shape(random) : random_shape(random, kinds[trial / 2 % 5], 150);
}

#ifndef STATIQ_NO_SIMD

/// With what it needs, and no room for input masks, every convolution that has a vector nest runs in it; with a line
/// less, nothing happens.
template <class... Archs, class Case>
void check_needs(statiq::simd::arch_list<Archs...> archs, const Case& c, const convolution_shape& shape,
                 std::size_t needed, auto nest_for) {
    const auto expected = [&] {
        auto output = c.empty_output();
        statiq::kernels::reference::convolution(c.args(output), shape);
        return output;
    }();
    const support::guarded_scratch enough(needed);
    for_each_arch(archs, [&](auto arch) {
        using arch_type = decltype(arch);
        const statiq::kernels::nest chosen = nest_for(statiq::simd::word_lanes<arch_type>);
        const auto run = [&](auto& output, statiq::kernels::scratch_memory scratch) {
            auto arguments = c.args(output);
            arguments.scratch = scratch;
            return statiq::kernels::vectorized::convolution<arch_type, 0, statiq::kernels::nest_set::all()>(
                chosen, arguments, shape);
        };
        INFO(typeid(arch).name(), ", ", describe(shape));
        auto output = c.empty_output();
        CHECK(run(output, enough.memory()) == (chosen != statiq::kernels::nest::reference));
        if (chosen != statiq::kernels::nest::reference) CHECK(output == expected);
        if (needed == 0) return;
        auto untouched = c.empty_output();
        CHECK(!run(untouched, {enough.memory().first, needed - statiq::kernels::scratch_alignment}));
        CHECK(untouched == c.empty_output());
    });
}

/// Random shapes of one format on some instruction sets.
template <class Scheme, class Weight = std::int8_t, class... Archs>
void check_scratch_needs(unsigned seed, int trials, int magnitude, statiq::simd::arch_list<Archs...> archs) {
    generator random(seed);
    for (int trial = 0; trial < trials; ++trial) {
        const convolution_shape shape = any_scratch_shape(random, trial);
        constexpr bool shared = statiq::kernels::is_sub_byte<Weight>;
        if (shared && shape.is_depthwise()) continue;
        const integer_case<Scheme, std::uint8_t, std::int8_t, std::uint8_t, Weight> c(
            random, shape, !shared && trial % 3 == 0, magnitude);
        check_needs(
            archs, c, shape, statiq::kernels::needed_scratch<Weight>(shape, statiq::lane_bytes_of<Scheme>),
            [&](int lanes) { return statiq::kernels::byte_nest_of<Weight>(shape, !c.zero_points.empty(), lanes); });
    }
}

#endif

} // namespace convolution_cases
