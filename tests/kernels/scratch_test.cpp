// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/convolution/division.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>

#include <doctest/doctest.h>

#include "scratch_checks.hpp"
#include <cstddef>
#include <cstdint>

using namespace convolution_cases;
namespace kernels = statiq::kernels;

namespace {

/// No part of a convolution needs more scratch memory than the whole.
template <class Weight>
void check_parts(unsigned seed) {
    generator random(seed);
    for (int trial = 0; trial < 600; ++trial) {
        const convolution_shape whole = any_scratch_shape(random, trial);
        const convolution_shape rows = kernels::with_most_rows(whole);
        const int first = draw(random, 0, rows.out.height - 1), last = draw(random, first + 1, rows.out.height);
        const kernels::row_part part = kernels::rows_of(rows.in, rows.out, rows.over, first, last);
        INFO(describe(whole), "rows ", first, " to ", last);
        CHECK(kernels::needed_scratch<Weight>({part.in, part.out, part.over, whole.groups}) <=
              kernels::needed_scratch<Weight>(whole));
    }
}

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
        const convolution_shape shape = any_scratch_shape(random, trial);
        CHECK(kernels::scratch_bytes<std::int8_t>(shape) == 0);
        CHECK(kernels::scratch_bytes<float>(shape) == 0);
    }
}

#else

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
