// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/arguments.hpp>

#include <cstddef>

namespace statiq::kernels::vectorized {

/// Brings the next layer's weights into the second cache, a line at a time: networks whose weights exceed that cache
/// would otherwise begin every layer at the speed of the third. One line for every step of a tile keeps the buffers
/// between the caches free for what the tile itself reads.
class reading_ahead {
    static constexpr std::size_t line = 64;

  public:
    /// @param otherwise what steps touch that have nothing to read: memory that is near anyway.
    reading_ahead(const memory_ahead& memory, const void* otherwise) noexcept
        : at_(static_cast<const char*>(memory.bytes > 0 ? memory.from : otherwise)), left_(memory.bytes / line) {}

    /// For `steps` steps, each of which reads a line ahead: where the first is, and from one to the next.
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
