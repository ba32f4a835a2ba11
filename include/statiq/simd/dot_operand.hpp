// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>
#include <statiq/simd/dot_accumulate.hpp>
#include <statiq/simd/pair_accumulate.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

/// A register of bytes that takes part in many dot products, as these read it: widened once, where bytes cannot be
/// multiplied exactly.
/// @tparam Byte std::uint8_t for inputs, std::int8_t for weights.
template <class Arch, class Byte>
struct dot_operand {
    static constexpr bool is_widened = !has_byte_dot<Arch>;
    using part = std::conditional_t<is_widened, batch<std::int16_t, Arch>, batch<Byte, Arch>>;

    std::array<part, is_widened ? 2 : 1> parts;

    [[nodiscard]] static dot_operand of(xsimd::batch<Byte, register_arch<Arch>> bytes) noexcept {
        if constexpr (is_widened)
            return {split_bytes<Arch>(bytes)};
        else
            return {{bytes}};
    }
    friend dot_operand operator&(dot_operand a, const dot_operand& b) noexcept {
        for (std::size_t i = 0; i < a.parts.size(); ++i) a.parts[i] = a.parts[i] & b.parts[i];
        return a;
    }
    /// As widened parts have room for; bytes wrap.
    friend dot_operand operator-(dot_operand a, const dot_operand& b) noexcept {
        for (std::size_t i = 0; i < a.parts.size(); ++i) a.parts[i] = a.parts[i] - b.parts[i];
        return a;
    }
    friend dot_operand operator^(dot_operand a, const dot_operand& b) noexcept {
        for (std::size_t i = 0; i < a.parts.size(); ++i) a.parts[i] = a.parts[i] ^ b.parts[i];
        return a;
    }
};

/// `dot_accumulate` of the bytes the operands were made of.
template <class Arch>
[[nodiscard]] inline batch<std::int32_t, Arch> dot_accumulate(batch<std::int32_t, Arch> acc,
                                                              const dot_operand<Arch, std::uint8_t>& x,
                                                              const dot_operand<Arch, std::int8_t>& w) noexcept {
    if constexpr (has_byte_dot<Arch>) {
        return dot_accumulate<Arch>(acc, x.parts[0], w.parts[0]);
    } else {
        const auto even = pair_accumulate<Arch>(acc, x.parts[0], w.parts[0]);
        return pair_accumulate<Arch>(even, x.parts[1], w.parts[1]);
    }
}

} // namespace statiq::simd

#endif
