// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "archs.hpp"

#ifndef STATIQ_NO_SIMD

#include <statiq/numeric/requantize.hpp>
#include <statiq/numeric/rounding.hpp>
#include <statiq/simd/bit_cast.hpp>
#include <statiq/simd/broadcast_group.hpp>
#include <statiq/simd/clamp.hpp>
#include <statiq/simd/divide.hpp>
#include <statiq/simd/dot_accumulate.hpp>
#include <statiq/simd/halves.hpp>
#include <statiq/simd/interleave.hpp>
#include <statiq/simd/load_sub_bytes.hpp>
#include <statiq/simd/look_up.hpp>
#include <statiq/simd/memory_operand.hpp>
#include <statiq/simd/multiply_add.hpp>
#include <statiq/simd/narrow.hpp>
#include <statiq/simd/pair_accumulate.hpp>
#include <statiq/simd/pair_products.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/replace_byte.hpp>
#include <statiq/simd/round_half_away.hpp>
#include <statiq/simd/scale_and_round.hpp>
#include <statiq/simd/scale_fixed_point.hpp>
#include <statiq/simd/shift_down.hpp>
#include <statiq/simd/widen.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <random>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace simd = statiq::simd;

namespace {

using generator = std::mt19937;

/// Random values with a good share of the special ones.
template <class T, std::size_t Size>
void draw(generator& random, T (&values)[Size], std::initializer_list<std::type_identity_t<T>> special) {
    for (T& v : values) {
        const auto pick = random() % 2;
        v = pick == 0 ? special.begin()[random() % special.size()] : static_cast<T>(random());
    }
}

template <class B, class T, std::size_t Size>
B load(const T (&values)[Size]) {
    static_assert(Size == B::size);
    return B::load_unaligned(values);
}
template <class B>
std::vector<typename B::value_type> lanes(const B& batch) {
    std::vector<typename B::value_type> values(B::size);
    batch.store_unaligned(values.data());
    return values;
}

constexpr std::int32_t least = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();

/// Every byte, with every byte beside it somewhere.
template <int Bits, class Arch>
void check_load_sub_bytes() {
    using bytes = simd::batch<std::uint8_t, Arch>;
    constexpr std::size_t per_byte = 8 / Bits;
    std::vector<std::uint8_t> memory(bytes::size / per_byte); // of exactly the size that may be read
    for (unsigned first = 0; first < 256; ++first) {
        for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<std::uint8_t>(first + 37 * i);
        const auto loaded = lanes(simd::load_sub_bytes<Bits, Arch>(memory.data()));
        std::vector<std::uint8_t> expected(bytes::size);
        for (std::size_t i = 0; i < bytes::size; ++i) {
            const unsigned shared = memory[i / per_byte];
            expected[i] = static_cast<std::uint8_t>(shared >> (Bits * (i % per_byte)) & ((1U << Bits) - 1));
        }
        CHECK(loaded == expected);
    }
}

/// Every index beside every other, in tables at odd addresses.
template <class Table, class Arch>
void check_look_up() {
    using bytes = simd::batch<std::uint8_t, Arch>;
    generator random(31);
    for (int trial = 0; trial < 4; ++trial) {
        std::uint8_t table[257];
        draw(random, table, {0, 1, 127, 128, 255});
        const Table look_up(table + 1);
        for (unsigned first = 0; first < 256; ++first) {
            std::uint8_t index[bytes::size];
            for (std::size_t i = 0; i < bytes::size; ++i) index[i] = static_cast<std::uint8_t>(first + 37 * i);
            const auto found = lanes(look_up(load<bytes>(index)));
            for (std::size_t i = 0; i < bytes::size; ++i) REQUIRE(found[i] == table[1 + index[i]]);
        }
    }
}

template <class Arch>
void check_dot_accumulate() {
    using words = simd::batch<std::int32_t, Arch>;
    using unsigned_bytes = simd::batch<std::uint8_t, Arch>;
    using signed_bytes = simd::batch<std::int8_t, Arch>;
    generator random(1);
    for (int trial = 0; trial < 2000; ++trial) {
        std::uint8_t x[unsigned_bytes::size];
        std::int8_t w[signed_bytes::size];
        std::int32_t acc[words::size];
        draw(random, x, {0, 1, 127, 128, 254, 255});
        draw(random, w, {-128, -127, -1, 0, 1, 127});
        draw(random, acc, {least, -1, 0, 1, most});
        if (trial < 4) { // every product the same end of its range
            std::fill(std::begin(x), std::end(x), std::uint8_t{255});
            std::fill(std::begin(w), std::end(w), static_cast<std::int8_t>(trial % 2 ? -128 : 127));
        }
        std::vector<std::int32_t> expected;
        for (std::size_t i = 0; i < words::size; ++i) {
            std::int64_t sum = acc[i];
            for (std::size_t j = 0; j < 4; ++j) sum += x[4 * i + j] * w[4 * i + j];
            expected.push_back(static_cast<std::int32_t>(static_cast<std::uint32_t>(sum)));
        }
        REQUIRE(lanes(simd::dot_accumulate<Arch>(load<words>(acc), load<unsigned_bytes>(x), load<signed_bytes>(w))) ==
                expected);
    }
}

template <class Arch, class Byte>
void check_split_bytes() {
    using bytes = simd::batch<Byte, Arch>;
    for (int first = 0; first < 256; ++first) {
        Byte from[bytes::size];
        for (std::size_t i = 0; i < bytes::size; ++i) from[i] = static_cast<Byte>(first + static_cast<int>(i) * 7);
        const auto halves = simd::split_bytes<Arch>(load<bytes>(from));
        for (std::size_t half = 0; half < 2; ++half) {
            const auto values = lanes(halves[half]);
            for (std::size_t i = 0; i < values.size(); ++i) REQUIRE(values[i] == from[2 * i + half]);
        }
    }
}

template <class Arch>
void check_pair_accumulate() {
    using words = simd::batch<std::int32_t, Arch>;
    using halves = simd::batch<std::int16_t, Arch>;
    constexpr auto low = std::numeric_limits<std::int16_t>::min(), high = std::numeric_limits<std::int16_t>::max();
    generator random(21);
    for (int trial = 0; trial < 2000; ++trial) {
        std::int16_t x[halves::size], w[halves::size];
        std::int32_t acc[words::size];
        draw(random, x, {low, -255, -1, 0, 1, 255, high});
        draw(random, w, {low, -128, -1, 0, 1, 127, high});
        draw(random, acc, {least, -1, 0, 1, most});
        std::vector<std::int32_t> sums, added, subtracted;
        for (std::size_t i = 0; i < words::size; ++i) {
            const auto wrapped = [&](std::int64_t term) {
                return static_cast<std::int32_t>(static_cast<std::uint32_t>(acc[i] + term));
            };
            sums.push_back(wrapped(std::int64_t{x[2 * i]} * w[2 * i] + std::int64_t{x[2 * i + 1]} * w[2 * i + 1]));
            added.push_back(wrapped(std::int64_t{x[2 * i]} + x[2 * i + 1]));
            subtracted.push_back(wrapped(-std::int64_t{x[2 * i]} - x[2 * i + 1]));
        }
        REQUIRE(lanes(simd::pair_accumulate<Arch>(load<words>(acc), load<halves>(x), load<halves>(w))) == sums);
        REQUIRE(lanes(simd::add_pairs<Arch>(load<words>(acc), load<halves>(x))) == added);
        REQUIRE(lanes(simd::subtract_pairs<Arch>(load<words>(acc), load<halves>(x))) == subtracted);
    }
}

/// Every pair of weights with the ends of the inputs and with random ones.
template <class Arch>
void check_pair_products() {
    using halves = simd::batch<std::int16_t, Arch>;
    using unsigned_bytes = simd::batch<std::uint8_t, Arch>;
    using signed_bytes = simd::batch<std::int8_t, Arch>;
    generator random(22);
    for (int pair = 0; pair < 65536; pair += static_cast<int>(unsigned_bytes::size / 2)) {
        std::uint8_t x[unsigned_bytes::size];
        std::int8_t w[signed_bytes::size];
        draw(random, x, {0, 1, 128, 254, 255});
        for (std::size_t i = 0; i < signed_bytes::size; ++i)
            w[i] = static_cast<std::int8_t>((pair + static_cast<int>(i / 2)) >> (i % 2 * 8));
        const auto result = lanes(simd::pair_products<Arch>(load<unsigned_bytes>(x), load<signed_bytes>(w)));
        alignas(64) std::int8_t memory[signed_bytes::size + 1];
        std::copy(std::begin(w), std::end(w), memory + 1); // not aligned
        const simd::memory_operand<std::int8_t> from{memory + 1};
        REQUIRE(lanes(simd::pair_products<Arch>(load<unsigned_bytes>(x), from)) == result);
        std::int16_t sums[halves::size];
        draw(random, sums, {0, -32768, 32767});
        const auto added =
            lanes(simd::add_pair_products<Arch>(load<halves>(sums), load<unsigned_bytes>(x), load<signed_bytes>(w)));
        for (std::size_t i = 0; i < result.size(); ++i) {
            REQUIRE(result[i] == std::clamp(x[2 * i] * w[2 * i] + x[2 * i + 1] * w[2 * i + 1], -32768, 32767));
            REQUIRE(added[i] == static_cast<std::int16_t>(static_cast<std::uint16_t>(sums[i] + result[i])));
        }
    }
}

/// The claim of `largest_exact_pair`, and that it is the largest of which that is true.
void check_largest_exact_pair() {
    constexpr int limit = simd::largest_exact_pair;
    const auto is_exact = [](int sum) {
        for (int x = std::max(0, sum - 255); x <= std::min(255, sum); ++x)
            for (const int w0 : {-128, 127})
                for (const int w1 : {-128, 127}) {
                    const int products = x * w0 + (sum - x) * w1;
                    if (products < -32768 || products > 32767) return false;
                }
        return true;
    };
    for (int sum = 0; sum <= limit; ++sum) CHECK(is_exact(sum));
    CHECK_FALSE(is_exact(limit + 1));
}

template <class Arch>
void check_pairs_above() {
    using halves = simd::batch<std::int16_t, Arch>;
    generator random(23);
    for (int trial = 0; trial < 2000; ++trial) {
        std::int16_t sums[halves::size];
        draw(random, sums, {0, 255, 256, 257, 510});
        std::uint32_t expected = 0;
        for (std::size_t i = 0; i < halves::size; ++i)
            if (sums[i] > 256) expected |= std::uint32_t{1} << i / 2;
        REQUIRE(simd::pairs_above<Arch>(load<halves>(sums), 256) == expected);
    }
}

template <class Arch>
void check_interleave() {
    using bytes = simd::batch<std::uint8_t, Arch>;
    generator random(2);
    std::uint8_t x[4][bytes::size];
    for (auto& row : x) draw(random, row, {0, 255});
    const auto result =
        simd::interleave<Arch>(load<bytes>(x[0]), load<bytes>(x[1]), load<bytes>(x[2]), load<bytes>(x[3]));
    for (std::size_t j = 0; j < 4; ++j) {
        const auto part = lanes(result[j]);
        for (std::size_t i = 0; i < bytes::size; ++i) CHECK(part[i] == x[i % 4][simd::block_order(j, i / 4)]);
    }
}

template <class Arch>
void check_widen() {
    using bytes = simd::batch<std::uint8_t, Arch>;
    generator random(8);
    std::uint8_t x[bytes::size];
    draw(random, x, {0, 127, 128, 255});
    const auto result = simd::widen<Arch>(load<bytes>(x));
    for (std::size_t j = 0; j < 4; ++j) {
        const auto part = lanes(result[j]);
        for (std::size_t lane = 0; lane < part.size(); ++lane) CHECK(part[lane] == x[simd::block_order(j, lane)]);
    }
}

template <class Arch, std::size_t Parts>
void check_shift_down() {
    using bytes = simd::batch<std::uint8_t, Arch>;
    generator random(9);
    std::uint8_t x[bytes::size];
    draw(random, x, {0, 255});
    [&]<std::size_t... Part>(std::index_sequence<Part...>) {
        const auto check = [&]<std::size_t Lanes>(std::integral_constant<std::size_t, Lanes>) {
            const auto result = lanes(simd::shift_down<Lanes, Arch>(load<bytes>(x)));
            for (std::size_t lane = 0; lane + Lanes < bytes::size; ++lane) CHECK(result[lane] == x[lane + Lanes]);
        };
        (check(std::integral_constant<std::size_t, Part * bytes::size / Parts>{}), ...);
    }
    (std::make_index_sequence<Parts>{});
}

template <class Arch, std::size_t Index>
void check_replace_byte() {
    using bytes = simd::batch<std::uint8_t, Arch>;
    generator random(10);
    std::uint8_t x[bytes::size], by[bytes::size];
    draw(random, x, {0, 255});
    draw(random, by, {0, 255});
    const auto result = lanes(simd::replace_byte<Index, Arch>(load<bytes>(x), load<bytes>(by)));
    for (std::size_t lane = 0; lane < bytes::size; ++lane) CHECK(result[lane] == (lane % 4 == Index ? by : x)[lane]);
}

template <class Arch>
void check_halves() {
    using bytes = simd::batch<std::uint8_t, Arch>;
    using half = simd::batch<std::uint8_t, simd::half_arch<Arch>>;
    CHECK(half::size == std::max<std::size_t>(16, bytes::size / 2));
    if constexpr (simd::joins_halves<Arch>) {
        generator random(11);
        std::uint8_t x[bytes::size];
        draw(random, x, {0, 255});
        const std::vector<std::uint8_t> low(x, x + half::size), high(x + half::size, x + bytes::size);
        CHECK(lanes(half(simd::low_half<Arch, std::uint8_t>(load<bytes>(x)))) == low);
        CHECK(lanes(half(simd::high_half<Arch, std::uint8_t>(load<bytes>(x)))) == high);
        const bytes joined =
            simd::join_halves<Arch, std::uint8_t>(half::load_unaligned(low.data()), half::load_unaligned(high.data()));
        CHECK(lanes(joined) == std::vector<std::uint8_t>(x, x + bytes::size));
    }
}

template <class Arch, class Out>
void check_narrow() {
    using words = simd::batch<std::int32_t, Arch>;
    using bytes = simd::batch<Out, Arch>;
    generator random(3);
    for (int trial = 0; trial < 500; ++trial) {
        std::int32_t v[4][words::size];
        simd::quad<std::int32_t, Arch> registers;
        for (std::size_t j = 0; j < 4; ++j) {
            draw(random, v[j],
                 {least, -40000, -32768, -300, -129, -128, -1, 0, 1, 127, 128, 255, 256, 32767, 32768, most});
            if (trial % 2 == 0)
                for (auto& lane : v[j]) lane %= 400;
            registers[j] = load<words>(v[j]);
        }
        const int offset = trial % 4 == 0 ? 0 : static_cast<int>(random() % 511) - 255;
        const auto result = lanes(simd::narrow<Out, Arch>(registers, offset));
        bool equal = true;
        for (std::size_t j = 0; j < 4; ++j)
            for (std::size_t l = 0; l < words::size; ++l) {
                const std::int64_t expected =
                    std::clamp<std::int64_t>(std::int64_t{v[j][l]} + offset, std::numeric_limits<Out>::lowest(),
                                             std::numeric_limits<Out>::max());
                equal = equal && result[simd::block_order(j, l)] == expected;
            }
        CHECK(equal);
    }
    Out order[bytes::size];
    for (std::size_t i = 0; i < bytes::size; ++i) order[i] = static_cast<Out>(i);
    const auto natural = lanes(simd::from_block_order<Arch>(load<bytes>(order)));
    for (std::size_t j = 0; j < 4; ++j)
        for (std::size_t l = 0; l < words::size; ++l)
            CHECK(natural[j * words::size + l] == order[simd::block_order(j, l)]);
    CHECK(lanes(simd::to_block_order<Arch>(bytes::load_unaligned(natural.data()))) ==
          std::vector(order, order + bytes::size));
}

template <class Arch>
void check_scale_and_round() {
    using words = simd::batch<std::int32_t, Arch>;
    using floats = simd::batch<float, Arch>;
    generator random(4);
    for (int trial = 0; trial < 5000; ++trial) {
        std::int32_t acc[words::size];
        float factor[floats::size];
        draw(random, acc, {least, least + 1, -3, -2, -1, 0, 1, 2, 3, 16777217, 33554433, most - 1, most});
        for (float& f : factor) {
            // Halves make ties, which go to the even neighbour.
            constexpr float special[] = {0.5F, 0.25F, 1.5F, 1.0F, 0x0.ffffffp0F, 0.0F, 3.0F};
            f = random() % 2 ? special[random() % std::size(special)]
                             : std::ldexp(static_cast<float>(random() % 1000), static_cast<int>(random() % 40) - 40);
        }
        if (trial % 2)
            for (std::int32_t& a : acc) a %= 1 << 20;
        const auto result = lanes(simd::scale_and_round_saturated<Arch>(load<words>(acc), load<floats>(factor)));
        const auto unsaturated = lanes(simd::scale_and_round<Arch>(load<words>(acc), load<floats>(factor)));
        for (std::size_t i = 0; i < words::size; ++i) {
            const std::int32_t expected = statiq::float_multiplier::apply(acc[i], factor[i]);
            REQUIRE(result[i] == std::min(expected, most - 127));
            if (factor[i] < 1) REQUIRE(unsaturated[i] == expected);
        }
    }
}

template <class Arch>
void check_divide() {
    using floats = simd::batch<float, Arch>;
    generator random(11);
    for (int trial = 0; trial < 20000; ++trial) {
        float x[floats::size], y[floats::size];
        draw(random, x, {0, 1, 255, 1e-40F, HUGE_VALF});
        draw(random, y, {0.1F, 1.0F / 255, 3, 1e-38F, 1e38F});
        for (float& divisor : y) divisor = divisor == 0 ? 1 : divisor;
        const auto result = lanes(simd::divide<Arch>(load<floats>(x), load<floats>(y)));
        for (std::size_t i = 0; i < floats::size; ++i) REQUIRE(result[i] == x[i] / y[i]);
    }
}

template <class Arch>
void check_multiply_add() {
    using floats = simd::batch<float, Arch>;
    constexpr bool fuses = std::is_base_of_v<xsimd::avx512f, Arch> || std::is_base_of_v<xsimd::fma3<xsimd::avx2>, Arch>;
    generator random(12);
    std::uniform_real_distribution<float> uniform(-2, 2);
    for (int trial = 0; trial < 5000; ++trial) {
        float x[floats::size], y[floats::size], z[floats::size];
        for (std::size_t i = 0; i < floats::size; ++i) {
            x[i] = uniform(random);
            y[i] = uniform(random);
            const volatile float rounded = x[i] * y[i];
            z[i] = trial % 2 == 0 ? -rounded : uniform(random); // what rounding lost is all that is left
        }
        const auto result = lanes(simd::multiply_add<Arch>(load<floats>(x), load<floats>(y), load<floats>(z)));
        for (std::size_t i = 0; i < floats::size; ++i) {
            const volatile float rounded = x[i] * y[i];
            const bool is_fused = result[i] == std::fma(x[i], y[i], z[i]);
            REQUIRE((is_fused || (!fuses && result[i] == rounded + z[i])));
        }
    }
}

template <class Arch>
void check_round_half_away() {
    using floats = simd::batch<float, Arch>;
    std::vector<float> values;
    for (int half = -2000; half <= 2000; ++half) {
        const float x = static_cast<float>(half) * 0.5F;
        for (const float end : {-HUGE_VALF, x, HUGE_VALF}) values.push_back(std::nextafter(x, end));
    }
    generator random(10);
    for (int i = 0; i < 100000; ++i)
        values.push_back(
            std::ldexp(static_cast<float>(static_cast<std::int32_t>(random())), -9 - static_cast<int>(random() % 30)));
    values.insert(values.end(), {0x1p22F, -0x1p22F, 0.0F, -0.0F, 1e-40F, -1e-40F});
    values.resize((values.size() + floats::size - 1) / floats::size * floats::size);
    for (std::size_t first = 0; first < values.size(); first += floats::size) {
        const auto result = lanes(simd::round_half_away<Arch>(floats::load_unaligned(values.data() + first)));
        for (std::size_t i = 0; i < floats::size; ++i)
            REQUIRE(result[i] == statiq::half_away{}(static_cast<double>(values[first + i])));
    }
}

template <class Arch, statiq::rounding_steps Steps>
void check_scale_fixed_point() {
    using words = simd::batch<std::int32_t, Arch>;
    generator random(6);
    for (int trial = 0; trial < 5000; ++trial) {
        std::int32_t x[words::size];
        std::int32_t multiplier[words::size];
        std::int32_t shift[words::size];
        draw(random, x, {least, least + 1, -3, -2, -1, 0, 1, 2, 3, 4, 5, 1 << 20, most - 1, most});
        draw(random, multiplier, {0, 1 << 30, (1 << 30) + 1, 3 << 29, most - 1, most});
        for (std::size_t i = 0; i < words::size; ++i) {
            multiplier[i] &= most;
            if (trial % 3 == 0) x[i] %= 1 << 20;
            shift[i] = static_cast<std::int32_t>(random() % 62) - 31;
            if (trial % 2 == 0) shift[i] = -static_cast<std::int32_t>(random() % 12);
        }
        const auto result =
            lanes(simd::scale_fixed_point<Arch, Steps>(load<words>(x), load<words>(multiplier), load<words>(shift)));
        for (std::size_t i = 0; i < words::size; ++i)
            REQUIRE(result[i] == statiq::multiply_by_quantized_multiplier<Steps>(x[i], {multiplier[i], shift[i]}));
    }
}

template <class Arch, class T>
void check_partial() {
    using batch = simd::batch<T, Arch>;
    std::vector<T> values(batch::size);
    for (std::size_t i = 0; i < batch::size; ++i) values[i] = static_cast<T>(i + 1);
    for (std::size_t count = 1; count <= batch::size; ++count) {
        const std::vector<T> first(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count));
        auto expected = first;
        expected.resize(batch::size);
        CHECK(lanes(simd::load_first<Arch>(first.data(), count)) == expected);
        std::vector<T> stored(count, T{99});
        simd::store_first<Arch>(stored.data(), batch::load_unaligned(values.data()), count);
        CHECK(stored == first);
    }
}

template <class Arch>
void check_broadcast_group() {
    const std::vector<std::int8_t> group{-128, 5, 127, -1};
    const auto result = lanes(simd::broadcast_group<Arch>(group.data()));
    for (std::size_t i = 0; i < result.size(); ++i) CHECK(result[i] == group[i % 4]);
    const auto cast = lanes(simd::bit_cast<std::uint8_t>(simd::broadcast_group<Arch>(group.data())));
    for (std::size_t i = 0; i < cast.size(); ++i) CHECK(cast[i] == static_cast<std::uint8_t>(group[i % 4]));
}

/// NaNs, infinities, zeros of either sign and values on both sides of the bounds, in every lane.
template <class Arch>
void check_clamp_of_reals() {
    using batch = simd::batch<float, Arch>;
    constexpr float infinity = std::numeric_limits<float>::infinity();
    constexpr float values[] = {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity, 0.0F, -0.0F, 1, -1, 7};
    constexpr std::size_t count = std::size(values);
    for (const auto& [lowest, highest] : {std::pair{0.0F, infinity}, std::pair{-0.0F, 6.0F}, std::pair{-1.0F, -0.0F},
                                          std::pair{-infinity, 0.0F}, std::pair{-infinity, infinity}})
        for (std::size_t shift = 0; shift < count; ++shift) {
            float x[batch::size];
            for (std::size_t i = 0; i < batch::size; ++i) x[i] = values[(i + shift) % count];
            const auto result = lanes(simd::clamp<Arch>(load<batch>(x), lowest, highest));
            for (std::size_t i = 0; i < batch::size; ++i) {
                const float expected = std::clamp(x[i], lowest, highest);
                CHECK((std::isnan(expected)
                           ? std::isnan(result[i])
                           : std::bit_cast<std::uint32_t>(result[i]) == std::bit_cast<std::uint32_t>(expected)));
            }
        }
}

template <class Arch, class T>
void check_clamp() {
    using batch = simd::batch<T, Arch>;
    generator random(5);
    T x[batch::size];
    for (T& v : x)
        v = static_cast<T>(static_cast<int>(random() % 256) + (std::numeric_limits<T>::lowest() < 0 ? -128 : 0));
    const auto result = lanes(simd::clamp<Arch>(load<batch>(x), T{3}, T{100}));
    for (std::size_t i = 0; i < batch::size; ++i) CHECK(result[i] == std::clamp(x[i], T{3}, T{100}));
}

template <class F>
void on_every_arch(F&& f) {
    for_each_arch([&]<class Arch>(Arch) {
        INFO(typeid(Arch).name());
        f.template operator()<Arch>();
    });
}

} // namespace

TEST_CASE("dot_accumulate sums four products exactly, whatever they are") {
    on_every_arch([]<class Arch> { check_dot_accumulate<Arch>(); });
}
TEST_CASE("split_bytes gives even and odd bytes") {
    on_every_arch([]<class Arch> {
        check_split_bytes<Arch, std::uint8_t>();
        check_split_bytes<Arch, std::int8_t>();
    });
}
TEST_CASE("pair_accumulate sums two products exactly, add_pairs and subtract_pairs two terms") {
    on_every_arch([]<class Arch> { check_pair_accumulate<Arch>(); });
}
TEST_CASE("pair_products saturates, but not for inputs whose sum is small") {
    on_every_arch([]<class Arch> { check_pair_products<Arch>(); });
    check_largest_exact_pair();
}
TEST_CASE("pairs_above looks at both of a pair") {
    on_every_arch([]<class Arch> { check_pairs_above<Arch>(); });
}
TEST_CASE("interleave brings the bytes of four registers together, in block order") {
    on_every_arch([]<class Arch> { check_interleave<Arch>(); });
}
TEST_CASE("widen brings bytes to integers, in block order") {
    on_every_arch([]<class Arch> { check_widen<Arch>(); });
}
TEST_CASE("load_sub_bytes gives integers that share bytes bytes of their own") {
    on_every_arch([]<class Arch> {
        check_load_sub_bytes<2, Arch>();
        check_load_sub_bytes<4, Arch>();
    });
}
TEST_CASE("byte_table gives each lane its byte") {
    on_every_arch([]<class Arch> {
        check_look_up<simd::byte_table<Arch>, Arch>();
        check_look_up<simd::detail::memory_table<Arch>, Arch>();
#if XSIMD_WITH_SSSE3
        // The way by rows, where an instruction for more is preferred.
        if constexpr (simd::looks_up_bytes<Arch>) check_look_up<simd::detail::row_table<Arch>, Arch>();
#endif
    });
}
TEST_CASE("shift_down moves lanes towards the first") {
    on_every_arch([]<class Arch> {
        check_shift_down<Arch, 2>();
        check_shift_down<Arch, 4>();
    });
}
TEST_CASE("replace_byte takes one byte of every four from another register") {
    on_every_arch([]<class Arch> {
        check_replace_byte<Arch, 0>();
        check_replace_byte<Arch, 2>();
        check_replace_byte<Arch, 3>();
    });
}
TEST_CASE("halves of a register are joined, and split again") {
    on_every_arch([]<class Arch> { check_halves<Arch>(); });
}
TEST_CASE("narrow adds an offset and saturates to bytes") {
    on_every_arch([]<class Arch> {
        check_narrow<Arch, std::uint8_t>();
        check_narrow<Arch, std::int8_t>();
    });
}
TEST_CASE("scale_and_round is float_multiplier::apply") {
    on_every_arch([]<class Arch> { check_scale_and_round<Arch>(); });
}
TEST_CASE("divide rounds correctly") {
    on_every_arch([]<class Arch> { check_divide<Arch>(); });
}
TEST_CASE("multiply_add rounds once where there is an instruction for both") {
    on_every_arch([]<class Arch> { check_multiply_add<Arch>(); });
}
TEST_CASE("round_half_away is the rule of that name") {
    on_every_arch([]<class Arch> { check_round_half_away<Arch>(); });
}
TEST_CASE("scale_fixed_point is multiply_by_quantized_multiplier") {
    on_every_arch([]<class Arch> {
        check_scale_fixed_point<Arch, statiq::rounding_steps::one>();
        check_scale_fixed_point<Arch, statiq::rounding_steps::two>();
    });
}
TEST_CASE("partial loads and stores touch nothing beyond their count") {
    on_every_arch([]<class Arch> {
        check_partial<Arch, std::uint8_t>();
        check_partial<Arch, std::int8_t>();
        check_partial<Arch, float>();
    });
}
TEST_CASE("broadcast_group repeats four bytes") {
    on_every_arch([]<class Arch> { check_broadcast_group<Arch>(); });
}
TEST_CASE("clamp") {
    on_every_arch([]<class Arch> {
        check_clamp<Arch, std::uint8_t>();
        check_clamp<Arch, std::int8_t>();
        check_clamp<Arch, float>();
        check_clamp_of_reals<Arch>();
    });
}

#else

TEST_CASE("without vector instructions no instruction set is compiled") {
    int archs = 0;
    for_each_arch([&](auto) { ++archs; });
    CHECK(archs == 0);
}

#endif
