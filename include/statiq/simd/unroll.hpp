// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <utility>

namespace statiq::simd {

/// f(0), f(1), ... f(Count - 1) with the index as a constant: arrays of registers indexed by it stay in registers.
template <int Count, class F>
[[gnu::always_inline]] inline void unroll(F&& f) noexcept {
    [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
        (f(std::integral_constant<int, I>{}), ...);
    }
    (std::make_integer_sequence<int, Count>{});
}

} // namespace statiq::simd
