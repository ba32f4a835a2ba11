// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

/// The instruction sets that tests of integer kernels run. FMA is for reals: AVX2 with it stands for AVX2 alone.
/// Compiling kernels with AddressSanitizer takes three times as long: there the first and the last stand for all.
#if defined(STATIQ_NO_SIMD) || !defined(__AVX2__)
using integer_archs = statiq::simd::compiled_archs;
#elif defined(__SANITIZE_ADDRESS__)
using integer_archs = statiq::simd::arch_list<statiq::simd::native_arch, xsimd::sse2>;
#else
using integer_archs = statiq::simd::detail::join<
    statiq::simd::detail::list_if<statiq::simd::detail::has_avx512_vnni, statiq::simd::avx512_vnni>,
    statiq::simd::detail::list_if<bool{XSIMD_WITH_AVX512BW}, xsimd::avx512bw>,
    statiq::simd::detail::list_if<statiq::simd::detail::has_avx_vnni, statiq::simd::avx_vnni>,
    statiq::simd::arch_list<xsimd::fma3<xsimd::avx2>, xsimd::sse4_1, xsimd::sse2>>::type;
#endif

/// f(Arch{}) for some instruction sets, or for every one this translation unit is compiled for.
template <class F, class... Archs>
void for_each_arch(statiq::simd::arch_list<Archs...>, F&& f) {
    (f(Archs{}), ...);
}
template <class F>
void for_each_arch(F&& f) {
    for_each_arch(statiq::simd::compiled_archs{}, f);
}
