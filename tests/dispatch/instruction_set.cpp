// SPDX-License-Identifier: Apache-2.0
// A variant's second source.
#include <statiq/simd/arch.hpp>

#include "variant.hpp"
#include <type_traits>

namespace {

constexpr const char* name_of(auto arch) {
    using type = decltype(arch);
    namespace simd = statiq::simd;
    if (std::is_same_v<type, simd::avx512_vnni>) return "avx512_vnni";
    if (std::is_same_v<type, xsimd::avx512bw>) return "avx512";
    if (std::is_same_v<type, simd::avx_vnni>) return "avx_vnni";
    if (std::is_same_v<type, xsimd::fma3<xsimd::avx2>>) return "avx2";
    if (std::is_same_v<type, xsimd::sse4_1>) return "sse4_1";
    if (std::is_same_v<type, xsimd::sse2>) return "sse2";
    return "";
}

} // namespace

const char* dispatched::instruction_set() noexcept { return name_of(statiq::simd::native_arch{}); }
