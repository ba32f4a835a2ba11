// SPDX-License-Identifier: Apache-2.0
#include <statiq/execute/constants.hpp>
#include <statiq/execute/integer_call.hpp>
#include <statiq/kernels/reference/interpolate.hpp>
#include <statiq/operations/functions.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

using namespace statiq;
namespace reference = statiq::kernels::reference;

namespace {

/// A line through 0 of slope 1: its table's entry i is at -32768 + i 65535/512, in steps of 65535/65536.
constexpr auto line = [](float x) { return x; };

/// Every integer of the input's format, through the operation. @tparam Most bounds of |f'| and |f''|
template <class F, class In, class Out>
void compare_with_reals(const F& f, double slope, double curvature, const affine& input, const affine& output) {
    using operation = operations::elementwise<F>;
    using in = typename In::storage;
    using out = typename Out::storage;
    std::array<node, 2> nodes{};
    nodes[0].numbers.activation = In::format;
    nodes[1].numbers.activation = Out::format;
    nodes[1].input_count = 1;
    std::vector<in> values;
    for (std::int32_t q = In::format.lowest; q <= In::format.highest; ++q) values.push_back(static_cast<in>(q));
    nodes[1].out = {1, 1, static_cast<int>(values.size())};
    const auto map_of = [&](std::size_t) -> const affine& { return input; };
    std::vector<float> table(operation::table_size(nodes[1], In::format));
    nodes[1].facts = &facts_of<operation>;
    detail::fill_table<operation_list<operation>, float_multiplier>(nodes, nodes[1], map_of, output, nullptr,
                                                                    table.data());
    std::vector<out> results(values.size());
    const in* from = values.data();
    const sequential here;
    node_constants<float_multiplier> constants;
    constants.output = output;
    operation::integers(detail::integer_call<in, out, float_multiplier, const sequential>{
        nodes.data(), nodes[1], &from, &input.zero_point, constants, table.data(), results.data(), here});

    // In steps of the output as 16 bits: entries lie up to one 16-bit input step beside their place, and are up to
    // 1/65536 too long; each is rounded, its correction too (twice, halved); the line between is off by h^2 f''/8, of
    // which corrected ends leave at most all; the place on it is rounded. Float32 errs by 2^-20 of the range at most.
    // Then the output's own rounding, by half up.
    const double unit = std::exp2(16 - Out::format.bits);
    const double fine = double{output.scale} / unit, h = double{input.scale} * std::exp2(In::format.bits - 9);
    const double beside = slope * double{input.scale} * std::exp2(In::format.bits - 16) / fine;
    const double bound = beside + 0.5 + 0.5 + 0.75 + h * h * curvature / 8 / fine + 0.5 + 65536 * 0x1p-20;
    std::size_t beyond = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double x = double{input.scale} * (values[i] - input.zero_point);
        const double real = static_cast<double>(f(static_cast<float>(x))) / double{output.scale} + output.zero_point;
        const double expected = std::clamp<double>(real, Out::format.lowest, Out::format.highest);
        if (std::abs(results[i] - expected) > bound / unit + 0.5) ++beyond;
    }
    CHECK(beyond == 0);
}

template <class In>
void compare_widths() {
    constexpr number_format format = In::format;
    const std::int32_t zero = format.has_zero_point ? (format.lowest + format.highest) / 2 + 5 : 0;
    const affine input{static_cast<float>(16.0 / (format.highest - format.lowest)), zero}; // [-8, 8]
    const functions::sigmoid sigmoid;
    const functions::tanh tanh;
    // |sigmoid'| <= 1/4, |sigmoid''| <= 1 / (6 sqrt 3) = 0.0963; |tanh'| <= 1, |tanh''| <= 4 / (3 sqrt 3) = 0.77.
    compare_with_reals<functions::sigmoid, In, quantized<16, symmetric>>(sigmoid, 0.25, 0.0963, input, {0x1p-15F, 0});
    compare_with_reals<functions::sigmoid, In, quantized<16, asymmetric>>(sigmoid, 0.25, 0.0963, input, {0x1p-16F, 0});
    compare_with_reals<functions::sigmoid, In, quantized<8, asymmetric>>(sigmoid, 0.25, 0.0963, input, {0x1p-8F, 0});
    compare_with_reals<functions::tanh, In, quantized<12, asymmetric_signed>>(tanh, 1, 0.77, input, {0x1p-10F, -100});
    compare_with_reals<functions::tanh, In, quantized<8, asymmetric_signed>>(tanh, 1, 0.77, input, {0x1p-7F, 0});
}

} // namespace

TEST_CASE("an interpolated table of a line is the line") {
    const auto table = reference::interpolate(line, {0.25F, 0}, {0.25F, 0});
    for (std::int32_t x = -32768; x <= 32767; ++x) CHECK(std::abs(table(x) - x) <= 1);
    // Of zero points: y = x - 10 + 1000, which reaches 32767 at 31777, between the entries at 31744 and 31872.
    const auto moved = reference::interpolate(line, {0.5F, 10}, {0.5F, 1000});
    for (std::int32_t x = -32768; x <= 32767; ++x)
        if (x < 31744 || x > 31872) CHECK(std::abs(moved(x) - std::clamp(x + 990, -32768, 32767)) <= 1);
}

TEST_CASE("between two entries the table is straight, halves up") {
    reference::interpolated_table table;
    table.entries[256] = 10; // at 0
    table.entries[257] = 11; // at 128
    table.entries[258] = 9;
    CHECK(table(0) == 10);
    CHECK(table(63) == 10); // (63 + 64) >> 7 = 0
    CHECK(table(64) == 11); // (64 + 64) >> 7 = 1
    CHECK(table(128) == 11);
    CHECK(table(159) == 11); // -2 * 31 + 64 = 2, >> 7 = 0
    CHECK(table(161) == 10); // -2 * 33 + 64 = -2, >> 7 = -1
    CHECK(table(-32768) == 0);
}

TEST_CASE("a function's poles and NaN have integers") {
    const float infinity = std::numeric_limits<float>::infinity();
    const auto table = reference::interpolate(
        [&](float x) { return x < -1  ? -infinity
                              : x > 1 ? infinity
                                      : std::sqrt(x); }, {0x1p-10F, 0}, {0x1p-10F, 77});
    CHECK(table(-32768) == -32768);
    CHECK(table(32767) == 32767);
    CHECK(table(-640) == 77); // sqrt(-0.625) is a NaN
}

TEST_CASE("functions of 9 to 16 bits are near the reals, at every integer") {
    compare_widths<quantized<16, symmetric>>();
    compare_widths<quantized<16, asymmetric>>();
    compare_widths<quantized<14, asymmetric_signed>>();
    compare_widths<quantized<12, asymmetric>>();
    compare_widths<quantized<9, symmetric>>();
    compare_widths<quantized<9, asymmetric>>();
}
