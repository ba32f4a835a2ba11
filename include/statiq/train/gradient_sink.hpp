// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/train/executor_view.hpp>

#include <cstddef>
#include <span>

namespace statiq::detail {

/// Where a batch's input gradient goes: into memory of its own, or on top of what a later reader has put there.
struct gradient_sink {
    float* gradient = nullptr;
    bool adds = false;
    /// For each thread room for two samples of the network's largest tensor.
    std::span<float* const> scratch{};

    /// Calls make(sample, room, to) for each sample; `room` is as large as `to`.
    template <class Make>
    void take(const executor_view& threads, std::size_t samples, std::size_t size, Make&& make) const {
        threads.in_shares(samples, [&](std::size_t share, std::size_t first, std::size_t last) {
            float* made = scratch[share] + size;
            for (std::size_t s = first; s < last; ++s) {
                float* to = gradient + s * size;
                make(s, scratch[share], adds ? made : to);
                if (adds)
                    for (std::size_t i = 0; i < size; ++i) to[i] += made[i];
            }
        });
    }
};

} // namespace statiq::detail
