// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/target.hpp>

#ifndef STATIQ_NO_SIMD
#if !__has_include(<xsimd/xsimd.hpp>)
#include <statiq needs xsimd 8.1 or later for this processor: or define STATIQ_NO_SIMD to have the scalar code>
#endif
// xsimd's functions min and max are not written to stand macros of these names (<windows.h> has them).
#pragma push_macro("min")
#pragma push_macro("max")
#undef min
#undef max
#include <xsimd/xsimd.hpp>
#pragma pop_macro("min")
#pragma pop_macro("max")
#endif

#include <cstdint>
#include <type_traits>

/// Vector primitives that no release of xsimd has. Each is a function template on an instruction set, called as
/// `simd::primitive<Arch>(...)`: it has one exact scalar contract, a fallback for every instruction set, and overloads
/// in namespace `detail` whose last parameter is the tag of the least instruction set they need. Tags derive from one
/// another as instruction sets do, so overload resolution finds the best one; a new instruction set is a tag here and
/// the overloads worth having.
namespace statiq::simd {

/// No vector instructions: kernels run their reference code.
struct scalar {};

/// The instruction set that `statiq::compiled` chooses when the program starts.
struct dispatched {};

/// Some instruction sets.
template <class... Archs>
struct arch_list {};

#ifdef STATIQ_NO_SIMD

using compiled_archs = arch_list<>;
using vector_arch = scalar;
template <class>
inline constexpr int word_lanes = 1;

#else

/// AVX2 with the byte dot product, as AVX-VNNI or as the 256-bit form of AVX-512 VNNI. xsimd's tags of this kind are
/// younger than the releases supported here, and empty.
struct avx_vnni : xsimd::fma3<xsimd::avx2> {};
/// AVX-512 (F, CD, DQ, BW) with the byte dot product.
struct avx512_vnni : xsimd::avx512bw {};
/// 64-bit NEON with the byte dot product (Armv8.2's, or Armv8.6's of unsigned and signed bytes).
struct neon64_dot : xsimd::neon64 {};

namespace detail {
template <class Arch>
struct registers {
    using type = Arch;
};
template <>
struct registers<avx_vnni> {
    using type = xsimd::fma3<xsimd::avx2>;
};
template <>
struct registers<avx512_vnni> {
    using type = xsimd::avx512bw;
};
template <>
struct registers<neon64_dot> {
    using type = xsimd::neon64;
};

/// What an overload for every instruction set takes as its tag: the conversion ranks below every base class.
struct any_arch {
    template <class Arch>
    constexpr any_arch(const Arch&) noexcept {} // NOLINT(google-explicit-constructor)
};
} // namespace detail

/// The xsimd instruction set whose registers Arch uses.
template <class Arch>
using register_arch = typename detail::registers<Arch>::type;

/// A vector register of T.
template <class T, class Arch>
using batch = xsimd::batch<T, register_arch<Arch>>;

/// 32-bit lanes of a register.
template <class Arch>
inline constexpr int word_lanes = static_cast<int>(batch<std::int32_t, Arch>::size);

/// How many vector registers there are.
template <class Arch>
inline constexpr int register_count =
    std::is_base_of_v<xsimd::avx512f, Arch> || std::is_base_of_v<xsimd::neon64, Arch> ? 32 : 16;

namespace detail {

template <class... Lists>
struct join;
template <>
struct join<> {
    using type = arch_list<>;
};
template <class... Archs>
struct join<arch_list<Archs...>> {
    using type = arch_list<Archs...>;
};
template <class... Heads, class... Tails, class... Lists>
struct join<arch_list<Heads...>, arch_list<Tails...>, Lists...> : join<arch_list<Heads..., Tails...>, Lists...> {};

template <class First, class... Others>
First first_of(arch_list<First, Others...>);
scalar first_of(arch_list<>);

template <bool Compiled, class... Archs>
using list_if = std::conditional_t<Compiled, arch_list<Archs...>, arch_list<>>;

#if defined(__AVX512VNNI__)
inline constexpr bool has_avx512_vnni = XSIMD_WITH_AVX512BW;
#else
inline constexpr bool has_avx512_vnni = false;
#endif
#if defined(__AVXVNNI__) || (defined(__AVX512VNNI__) && defined(__AVX512VL__))
inline constexpr bool has_avx_vnni = XSIMD_WITH_FMA3_AVX2;
#else
inline constexpr bool has_avx_vnni = false;
#endif
#if defined(__ARM_FEATURE_DOTPROD)
inline constexpr bool has_neon64_dot = XSIMD_WITH_NEON64;
#else
inline constexpr bool has_neon64_dot = false;
#endif

} // namespace detail

/// Every instruction set this translation unit is compiled for, best first.
using compiled_archs = typename detail::join<
    detail::list_if<detail::has_avx512_vnni, avx512_vnni>, detail::list_if<bool{XSIMD_WITH_AVX512BW}, xsimd::avx512bw>,
    detail::list_if<detail::has_avx_vnni, avx_vnni>,
    detail::list_if<bool{XSIMD_WITH_FMA3_AVX2}, xsimd::fma3<xsimd::avx2>>,
    detail::list_if<bool{XSIMD_WITH_AVX2}, xsimd::avx2>, detail::list_if<bool{XSIMD_WITH_SSE4_1}, xsimd::sse4_1>,
    detail::list_if<bool{XSIMD_WITH_SSE2}, xsimd::sse2>, detail::list_if<detail::has_neon64_dot, neon64_dot>,
    detail::list_if<bool{XSIMD_WITH_NEON64}, xsimd::neon64>>::type;

/// The best of them.
using vector_arch = decltype(detail::first_of(compiled_archs{}));

#endif

/// The library's code does not ask: it has code for every number of lanes.
template <>
inline constexpr int word_lanes<dispatched> = 1;

/// The instruction set of this program's kernels.
#ifdef STATIQ_COMPILED
using native_arch = dispatched;
#else
using native_arch = vector_arch;
#endif

} // namespace statiq::simd
