// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/division.hpp>
#include <statiq/kernels/scratch_bytes.hpp>

#include <doctest/doctest.h>

#include "../simd/archs.hpp"
#include "convolution_cases.hpp"
#include <cstddef>
#include <cstdint>
#include <typeinfo>

using namespace convolution_cases;
namespace kernels = statiq::kernels;

namespace {

constexpr kind kinds[] = {kind::any, kind::pointwise, kind::depthwise, kind::dense, kind::image};

/// Common windows, which have loop nests of their own; few channels and few columns too.
convolution_shape depthwise_shape(generator& random) {
    const int side = draw(random, 0, 1) == 0 ? 3 : 5, channels = draw(random, 2, 40);
    convolution_shape shape{.in = {draw(random, 1, 9), draw(random, 1, 17), channels}, .groups = channels};
    shape.over = {side, side, draw(random, 1, 2), 1, 1, 1, draw(random, 0, side / 2), draw(random, 0, side / 2)};
    shape.over.stride_width = shape.over.stride_height;
    shape.out = {(shape.in.height + 1) / shape.over.stride_height, (shape.in.width + 1) / shape.over.stride_width,
                 channels};
    return shape;
}

/// No part of a convolution needs more scratch memory than the whole.
template <class Weight>
void check_parts(unsigned seed) {
    generator random(seed);
    for (int trial = 0; trial < 600; ++trial) {
        const convolution_shape whole =
            trial % 2 == 0 ? depthwise_shape(random) : random_shape(random, kinds[trial / 2 % 5], 150);
        const convolution_shape rows = kernels::with_most_rows(whole);
        const int first = draw(random, 0, rows.out.height - 1), last = draw(random, first + 1, rows.out.height);
        const kernels::row_part part = kernels::rows_of(rows.in, rows.out, rows.over, first, last);
        INFO(describe(whole), "rows ", first, " to ", last);
        CHECK(kernels::needed_scratch<Weight>({part.in, part.out, part.over, whole.groups}) <=
              kernels::needed_scratch<Weight>(whole));
    }
}

#ifndef STATIQ_NO_SIMD

/// With what it needs, and nothing to cache looks in, every convolution that has a vector nest runs in it; with a line
/// less, nothing happens.
template <class Case>
void check_needs(const Case& c, const convolution_shape& shape, std::size_t needed, auto nest_for) {
    const auto expected = [&] {
        auto output = c.empty_output();
        kernels::reference::convolution(c.args(output), shape);
        return output;
    }();
    const support::guarded_scratch enough(needed);
    for_each_arch([&](auto arch) {
        using arch_type = decltype(arch);
        const kernels::nest chosen = nest_for(statiq::simd::word_lanes<arch_type>);
        const auto run = [&](auto& output, kernels::scratch_memory scratch) {
            auto arguments = c.args(output);
            arguments.scratch = scratch;
            return kernels::vectorized::convolution<arch_type, 0, kernels::nest_set::all()>(chosen, arguments, shape);
        };
        INFO(typeid(arch).name(), ", ", describe(shape));
        auto output = c.empty_output();
        CHECK(run(output, enough.memory()) == (chosen != kernels::nest::reference));
        if (chosen != kernels::nest::reference) CHECK(output == expected);
        if (needed == 0) return;
        auto untouched = c.empty_output();
        CHECK(!run(untouched, {enough.memory().first, needed - kernels::scratch_alignment}));
        CHECK(untouched == c.empty_output());
    });
}

#endif

} // namespace

TEST_CASE("scratch memory is taken line by line, and divided among parts") {
    alignas(kernels::scratch_alignment) std::uint8_t bytes[6 * 64];
    kernels::scratch_memory scratch{bytes, 3 * 64};
    CHECK(scratch.of_part(0).first == bytes);
    CHECK(scratch.of_part(1).first == bytes + 3 * 64);
    CHECK(scratch.of_part(1).bytes == 3 * 64);
    CHECK(static_cast<void*>(scratch.take<std::uint8_t>(65)) == bytes);
    CHECK(static_cast<void*>(scratch.take<double>(0)) == bytes + 2 * 64);
    CHECK(static_cast<void*>(scratch.take<double>(8)) == bytes + 2 * 64);
    CHECK(scratch.bytes == 0);
}

TEST_CASE("no part of a convolution needs more scratch memory than the whole") {
    check_parts<std::int8_t>(71);
    check_parts<kernels::sub_byte<4>>(72);
    check_parts<float>(73);
}

#ifdef STATIQ_NO_SIMD

TEST_CASE("without vector registers no scratch memory is needed") {
    generator random(74);
    for (int trial = 0; trial < 100; ++trial) {
        const convolution_shape shape = random_shape(random, kinds[trial % 5], 150);
        CHECK(kernels::scratch_bytes<std::int8_t>(shape) == 0);
        CHECK(kernels::scratch_bytes<float>(shape) == 0);
    }
}

#else

TEST_CASE("the scratch memory that kernels need is what they use") {
    generator random(75);
    for (int trial = 0; trial < 300; ++trial) {
        const convolution_shape shape =
            trial % 2 == 0 ? depthwise_shape(random) : random_shape(random, kinds[trial / 2 % 5], 150);
        const integer_case<statiq::gemmlowp, std::uint8_t, std::int8_t, std::uint8_t> bytes(random, shape,
                                                                                            trial % 3 == 0);
        check_needs(bytes, shape, kernels::needed_scratch<std::int8_t>(shape), [&](int lanes) {
            return kernels::byte_nest_of<std::int8_t>(shape, !bytes.zero_points.empty(), lanes);
        });
        if (kernels::is_depthwise(shape)) continue;
        using nibble = kernels::sub_byte<4>;
        const integer_case<statiq::float_multiplier, std::uint8_t, std::int8_t, std::uint8_t, nibble> nibbles(
            random, shape, false, 7);
        check_needs(nibbles, shape, kernels::needed_scratch<nibble>(shape),
                    [&](int lanes) { return kernels::byte_nest_of<nibble>(shape, false, lanes); });
    }
}

// Figures that follow from the definitions.
TEST_CASE("what well-known layers need") {
    const auto pointwise = [](int side, int in, int out) {
        return convolution_shape{.in = {side, side, in}, .out = {side, side, out}};
    };
    // A pointwise layer needs nothing; 14 x 14 pixels are 40 tiles of five, 128 steps two words each: 640 bytes.
    CHECK(kernels::needed_scratch<std::int8_t>(pointwise(14, 512, 512)) == 0);
    CHECK(kernels::scratch_bytes<std::int8_t>(pointwise(14, 512, 512)) == 640);
    // At most 4096 words.
    CHECK(kernels::scratch_bytes<std::int8_t>(pointwise(224, 32, 64)) == 32 * 1024);
    // Where pairs of products are known to fit, and where there is one block of outputs, nothing is looked at.
    CHECK(kernels::scratch_bytes<std::int8_t>(pointwise(224, 32, 64), 1) == 0);
    CHECK(kernels::scratch_bytes<std::int8_t>(pointwise(224, 32, 8)) == 0);
    CHECK(kernels::scratch_bytes<float>(pointwise(224, 32, 64)) == 0);
    // The largest panel of 4 bits: 64 outputs of 1024 inputs, a byte each; of 2048 inputs, 32 outputs.
    CHECK(kernels::scratch_bytes<kernels::sub_byte<4>>(pointwise(7, 1024, 1024)) == 64 * 1024);
    CHECK(kernels::scratch_bytes<kernels::sub_byte<4>>(pointwise(7, 2048, 1024)) == 64 * 1024);
    // An image of 31 x 31 x 3 with a border fits 4096 values: 33 x 33 x 3 = 3267, 52 lines. Looks beside it: 193 tiles
    // of three rows, a word each.
    const convolution_shape small{.in = {31, 31, 3}, .out = {31, 31, 16}, .over = {3, 3, 1, 1, 1, 1, 1, 1}};
    CHECK(kernels::needed_scratch<std::int8_t>(small) >= 52 * 64);
    CHECK(kernels::scratch_bytes<std::int8_t>(small) - kernels::needed_scratch<std::int8_t>(small) == 73 * 64);
}

#endif
