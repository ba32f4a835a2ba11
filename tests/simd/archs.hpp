// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

/// f(Arch{}) for some instruction sets, or for every one this translation unit is compiled for.
template <class F, class... Archs>
void for_each_arch(statiq::simd::arch_list<Archs...>, F&& f) {
    (f(Archs{}), ...);
}
template <class F>
void for_each_arch(F&& f) {
    for_each_arch(statiq::simd::compiled_archs{}, f);
}
