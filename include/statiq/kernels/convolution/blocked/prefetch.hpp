// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/arguments.hpp>

#include <cstddef>

namespace statiq::kernels::vectorized {

/// Prefetches the next layer's weights into the second cache. Networks with more weights than that cache would
/// otherwise start every layer at the speed of the third cache. Each step of a tile prefetches one line only, which
/// leaves the line fill buffers to the tile's own loads.
class prefetcher {
    static constexpr std::size_t line = 64;

  public:
    /// @param otherwise the address to prefetch when nothing is left: memory that is in the cache anyway
    prefetcher(const memory_ahead& memory, const void* otherwise) noexcept
        : at_(static_cast<const char*>(memory.bytes > 0 ? memory.from : otherwise)), left_(memory.bytes / line) {}

    /// The lines for some steps: the first address, and the distance from one to the next.
    struct lines {
        const char* at;
        std::ptrdiff_t step;

        [[gnu::always_inline]] void read() noexcept {
            __builtin_prefetch(at, 0, 2);
            at += step;
        }
    };
    [[nodiscard]] lines take(std::size_t steps) noexcept {
        const lines taken{at_, left_ > 0 ? std::ptrdiff_t{line} : 0};
        const std::size_t count = steps < left_ ? steps : left_;
        at_ += count * line;
        left_ -= count;
        return taken;
    }

  private:
    const char* at_;
    std::size_t left_; ///< lines
};

} // namespace statiq::kernels::vectorized
