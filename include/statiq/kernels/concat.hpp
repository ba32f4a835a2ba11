// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/concat.hpp>
#include <statiq/kernels/vector_kernel.hpp>
#include <statiq/simd/arch.hpp>

#ifndef STATIQ_NO_SIMD
#include <statiq/kernels/bytes/requantize.hpp>
#endif

#include <algorithm>
#include <cstddef>
#include <type_traits>

namespace statiq::kernels {

#ifndef STATIQ_NO_SIMD
struct concat_kernel {
    template <class Arch, class In, class Out, class Scheme>
    static bool run(const reference::concat_arguments<In, Out, Scheme>& part) noexcept {
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
            return true;
        }
        const vectorized::byte_requantizer<Arch, In, Out, Scheme> requantizer(part);
        for (std::size_t pixel = 0; pixel < pixels; ++pixel)
            requantizer.run(part.input + pixel * width, width, to + pixel * step);
        return true;
    }
};
#endif

/// One input's part of a concatenation. Bits as `reference::concat`. Bytes run in vector registers, and are copied
/// where scale and zero point stay; other types and constant evaluation run in reference code.
template <class Scheme, class In, class Out, class Arch = simd::native_arch>
constexpr void concat(const reference::concat_arguments<In, Out, Scheme>& part,
                      [[maybe_unused]] Arch arch = {}) noexcept {
    if constexpr (sizeof(In) == 1 && sizeof(Out) == 1)
        if (!std::is_constant_evaluated() && run_vectors<concat_kernel, Arch>(part)) return;
    reference::concat<Scheme>(part);
}

} // namespace statiq::kernels
