// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/concat.hpp>
#include <statiq/simd/arch.hpp>

#ifndef STATIQ_NO_SIMD
#include <statiq/kernels/bytes/requantize.hpp>
#endif

#include <algorithm>
#include <cstddef>
#include <type_traits>

namespace statiq::kernels {

/// One input's part of a concatenation. Bits as `reference::concat`. Bytes run in vector registers, and are copied
/// where scale and zero point stay; other types and constant evaluation run in reference code.
template <class Scheme, class In, class Out, class Arch = simd::native_arch>
constexpr void concat(const reference::concat_arguments<In, Out, Scheme>& part,
                      [[maybe_unused]] Arch arch = {}) noexcept {
#ifndef STATIQ_NO_SIMD
    if constexpr (!std::is_same_v<Arch, simd::scalar> && sizeof(In) == 1 && sizeof(Out) == 1) {
        if (!std::is_constant_evaluated()) {
            const auto width = static_cast<std::size_t>(part.in.channels);
            const auto step = static_cast<std::size_t>(part.channels);
            const std::size_t pixels = part.in.pixels();
            Out* const to = part.output + part.first_channel;
            const bool is_copy = std::is_same_v<In, Out> && part.factor == Scheme::prepare(1.0) &&
                                 part.input_zero_point == part.output_zero_point &&
                                 part.lowest <= reference::unclamped_lowest<Out> &&
                                 part.highest >= reference::unclamped_highest<Out>;
            if (is_copy) {
                for (std::size_t pixel = 0; pixel < pixels; ++pixel)
                    std::copy_n(part.input + pixel * width, width, to + pixel * step);
                return;
            }
            const vectorized::byte_requantizer<Arch, In, Out, Scheme> requantizer(part);
            for (std::size_t pixel = 0; pixel < pixels; ++pixel)
                requantizer.run(part.input + pixel * width, width, to + pixel * step);
            return;
        }
    }
#endif
    reference::concat<Scheme>(part);
}

} // namespace statiq::kernels
