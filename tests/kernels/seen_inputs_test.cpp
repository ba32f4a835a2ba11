// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/convolution/blocked/seen_inputs.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>

using statiq::kernels::vectorized::seen_inputs;

namespace {

/// A block of `count` looks, of which look i sees 7 i + 1. @return how many were taken.
std::size_t looks_taken(seen_inputs& seen, int order, std::size_t count) {
    auto looks = seen.begin(order);
    std::size_t taken = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t word = looks.next([&] {
            ++taken;
            return std::uint64_t{7 * i + 1};
        });
        REQUIRE(word == 7 * i + 1);
    }
    seen.end(looks);
    return taken;
}

} // namespace

TEST_CASE("what one block has seen, the next ones of the same order know") {
    std::array<std::uint64_t, 9> words{};
    seen_inputs seen(words.data(), words.size());
    CHECK(looks_taken(seen, 2, 5) == 5);
    CHECK(looks_taken(seen, 2, 5) == 0);
    CHECK(looks_taken(seen, 2, 5) == 0);
    CHECK(looks_taken(seen, 1, 9) == 9);
    CHECK(looks_taken(seen, 1, 9) == 0);
    CHECK(looks_taken(seen, 2, 5) == 5);
}

TEST_CASE("of more looks than there is room for, the first are kept") {
    std::array<std::uint64_t, 20> words{};
    seen_inputs seen(words.data(), words.size());
    CHECK(looks_taken(seen, 2, 23) == 23);
    CHECK(looks_taken(seen, 2, 23) == 3);
    CHECK(looks_taken(seen, 2, 20) == 0);
}

TEST_CASE("without room for a look, all are taken anew") {
    seen_inputs seen(nullptr, 0);
    CHECK(looks_taken(seen, 2, 4) == 4);
    CHECK(looks_taken(seen, 2, 4) == 4);
}
