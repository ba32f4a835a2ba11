// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/convolution/blocked/exact_pair_sums.hpp>
#include <statiq/numeric/interval.hpp>
#include <statiq/numeric/number.hpp>

#include <doctest/doctest.h>

#include "vector_checks.hpp"
#include <cstdint>

using namespace convolution_cases;
namespace kernels = statiq::kernels;

namespace {

constexpr statiq::interval bytes{0, 255};

template <int Bits, class Symmetry = statiq::symmetric>
constexpr statiq::interval weights = statiq::interval_of(statiq::quantized<Bits, Symmetry>::format);

/// Instruction sets of every register width without a byte dot product, as far as they are compiled.
#ifdef STATIQ_NO_SIMD
constexpr statiq::simd::arch_list<> archs;
#elif XSIMD_WITH_AVX512BW
constexpr statiq::simd::arch_list<xsimd::sse4_1, xsimd::avx2, xsimd::avx512bw> archs;
#elif XSIMD_WITH_AVX2
constexpr statiq::simd::arch_list<xsimd::sse4_1, xsimd::avx2> archs;
#else
constexpr statiq::simd::arch_list<statiq::simd::native_arch> archs;
#endif

template <int PairSums>
void check(unsigned seed, int magnitude) {
    check_narrow_vectors<PairSums, statiq::float_multiplier, std::uint8_t, std::int8_t, std::uint8_t>(seed, 100,
                                                                                                      magnitude, archs);
}

} // namespace

TEST_CASE("the sums that 16 bits hold follow from the formats") {
    using kernels::exact_pair_sums;
    static_assert(exact_pair_sums(bytes, weights<8>) == 0);
    static_assert(exact_pair_sums(bytes, weights<7>) == 1);
    static_assert(exact_pair_sums(bytes, weights<7, statiq::symmetric_full_range>) == 1);
    static_assert(exact_pair_sums(bytes, weights<6, statiq::symmetric_full_range>) == 2);
    static_assert(exact_pair_sums(bytes, weights<5, statiq::symmetric_full_range>) == 4);
    static_assert(exact_pair_sums(bytes, weights<4, statiq::symmetric_full_range>) == 8);
    static_assert(exact_pair_sums(bytes, weights<2>) == kernels::most_pair_sums);
    static_assert(exact_pair_sums(bytes, {0, 0}) == kernels::most_pair_sums);
    static_assert(exact_pair_sums({0, 127}, weights<8, statiq::symmetric_full_range>) == 1);
    static_assert(exact_pair_sums({0, 128}, weights<8, statiq::symmetric_full_range>) == 1); // -2^15 itself is int16
    static_assert(exact_pair_sums({0, 129}, weights<8, statiq::symmetric_full_range>) == 0);
    // The largest and the smallest sum of so many products, and of one sum more.
    for (int x = 1; x <= 255; x += 2)
        for (int w = 1; w <= 128; ++w) {
            const int sums = exact_pair_sums({0, x}, {-w, w - 1});
            const auto fits = [&](int count) { return 2 * count * x * w <= 32768 && 2 * count * x * (w - 1) <= 32767; };
            CHECK((sums == 0 || fits(sums)));
            CHECK((sums == kernels::most_pair_sums || !fits(sums == 0 ? 1 : 2 * sums)));
        }
}

TEST_CASE("vector convolutions of narrow weights give the reference's bits: 7 bits") { check<1>(31, 63); }
TEST_CASE("vector convolutions of narrow weights give the reference's bits: 6 bits") { check<2>(32, 31); }
TEST_CASE("vector convolutions of narrow weights give the reference's bits: 4 bits") { check<8>(33, 7); }
