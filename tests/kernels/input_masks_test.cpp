// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/convolution/blocked/input_masks.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>

using statiq::kernels::vectorized::input_masks;

namespace {

/// A block of `count` tests; the mask of test i is 7 i + 1. @return how many tests were made.
std::size_t tests_made(input_masks& masks, int order, std::size_t count) {
    auto sequence = masks.begin(order);
    std::size_t made = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t word = sequence.next([&] {
            ++made;
            return std::uint64_t{7 * i + 1};
        });
        REQUIRE(word == 7 * i + 1);
    }
    masks.end(sequence);
    return made;
}

} // namespace

TEST_CASE("later blocks of the same order reuse the masks of the first") {
    std::array<std::uint64_t, 9> words{};
    input_masks masks(words.data(), words.size());
    CHECK(tests_made(masks, 2, 5) == 5);
    CHECK(tests_made(masks, 2, 5) == 0);
    CHECK(tests_made(masks, 2, 5) == 0);
    CHECK(tests_made(masks, 1, 9) == 9);
    CHECK(tests_made(masks, 1, 9) == 0);
    CHECK(tests_made(masks, 2, 5) == 5);
}

TEST_CASE("a full cache keeps the first masks") {
    std::array<std::uint64_t, 20> words{};
    input_masks masks(words.data(), words.size());
    CHECK(tests_made(masks, 2, 23) == 23);
    CHECK(tests_made(masks, 2, 23) == 3);
    CHECK(tests_made(masks, 2, 20) == 0);
}

TEST_CASE("without room every mask is computed again") {
    input_masks masks(nullptr, 0);
    CHECK(tests_made(masks, 2, 4) == 4);
    CHECK(tests_made(masks, 2, 4) == 4);
}
