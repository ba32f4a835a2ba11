// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/arguments.hpp>

#include <cstddef>

namespace statiq::kernels::vectorized {

/// Brings the next layer's weights into the second cache, a little with every tile: networks whose weights exceed that
/// cache would otherwise begin every layer at the speed of the third.
class reading_ahead {
    static constexpr std::size_t line = 64;

  public:
    /// @param parts of the memory, one with each call of read_some.
    reading_ahead(const memory_ahead& memory, std::size_t parts) noexcept
        : at_(static_cast<const char*>(memory.from)), left_(memory.bytes / line), part_((left_ + parts - 1) / parts) {}

    [[gnu::always_inline]] void read_some() noexcept {
        const std::size_t count = part_ < left_ ? part_ : left_;
        for (std::size_t i = 0; i < count; ++i, at_ += line) __builtin_prefetch(at_, 0, 2);
        left_ -= count;
    }

  private:
    const char* at_;
    std::size_t left_; ///< lines
    std::size_t part_; ///< lines
};

} // namespace statiq::kernels::vectorized
