// SPDX-License-Identifier: Apache-2.0

// Compiled with -Ofast: compilers may assume that no float is a NaN or infinite. A table holds integers all the same.

#include <statiq/operations/elementwise.hpp>

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#ifndef __FAST_MATH__
#error "this test is about -ffast-math"
#endif

namespace sq = statiq;

namespace {

/// By their bits, since no float could hold them here: a NaN below 0, infinity from 1 on.
struct broken {
    static constexpr std::string_view word = "broken";
    float operator()(float x) const {
        if (x < 0) return std::bit_cast<float>(std::uint32_t{0x7FC0'0000});
        return x < 1 ? 0.0F : std::bit_cast<float>(std::uint32_t{0x7F80'0000});
    }
};

struct call {
    using scheme = sq::default_scheme;
    const sq::node& n;
    const sq::number_format& input;
    sq::affine input_map;
    sq::affine output_map;
    float* table;
    [[nodiscard]] const sq::affine& map(std::size_t) const { return input_map; }
    [[nodiscard]] const sq::number_format& format(std::size_t) const { return input; }
};

} // namespace

TEST_CASE("a table's NaN is the zero point, its infinity the highest integer") {
    using function = sq::operations::elementwise<broken>;
    constexpr sq::number_format format = sq::quantized<8, sq::asymmetric>::format;
    sq::node n{.facts = &sq::facts_of<function>};
    n.numbers.activation = format;
    std::array<float, 64> table{};
    function::fill_table(call{n, format, {0.5F, 100}, {0.25F, 7}, table.data()});
    const auto* bytes = reinterpret_cast<const unsigned char*>(table.data());
    for (int q = 0; q < 256; ++q) {
        CAPTURE(q);
        CHECK(int{bytes[q]} == (q < 102 ? 7 : 255)); // x = (q - 100) / 2: NaN below 100, then 0, from 102 on infinity
    }
}
