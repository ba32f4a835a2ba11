// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <algorithm>
#include <cstddef>

namespace statiq::kernels::vectorized {

/// Calls compute(from, to) for runs of Width values, one after another. The last values, where they are fewer, go
/// through a run of their own beside the arrays: nothing beyond the arrays is read or written, and the code of a run is
/// compiled once. The output may be the input.
template <std::size_t Width, class In, class Out, class Compute>
[[gnu::always_inline]] inline void in_whole_runs(const In* input, Out* output, std::size_t size,
                                                 Compute compute) noexcept {
    alignas(64) In last_input[Width] = {};
    alignas(64) Out last_output[Width];
    for (std::size_t i = 0; i < size; i += Width) {
        const std::size_t count = size - i;
        const In* from = input + i;
        Out* to = output + i;
        if (count < Width) [[unlikely]] {
            std::copy_n(from, count, last_input);
            from = last_input;
            to = last_output;
        }
        compute(from, to);
        if (count < Width) [[unlikely]]
            std::copy_n(last_output, count, output + i);
    }
}

} // namespace statiq::kernels::vectorized
