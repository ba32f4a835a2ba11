// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/look_up.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/look_up.hpp>
#include <statiq/simd/partial.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// Bits as `reference::look_up`.
template <class Arch, class In, class Out>
requires(sizeof(Out) == 1) [[gnu::flatten]] void look_up(const reference::look_up_arguments<In, Out>& of) noexcept {
    constexpr std::size_t width = simd::batch<std::uint8_t, Arch>::size;
    const auto* input = reinterpret_cast<const std::uint8_t*>(of.input);
    auto* output = reinterpret_cast<std::uint8_t*>(of.output);
    const simd::byte_table<Arch> table(of.table);
    for (std::size_t i = 0; i < of.size; i += width) {
        const simd::first_lanes<std::uint8_t, Arch> part((std::min)(width, of.size - i));
        part.store(output + i, table(part.load(input + i)));
    }
}

} // namespace statiq::kernels::vectorized

#endif
