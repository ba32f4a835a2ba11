// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/number.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace statiq::detail {

/// Integers of a few bits, one after another without gaps, least significant bit first.
class bit_packed {
  public:
    bit_packed() = default;
    bit_packed(std::span<const std::int32_t> values, const number_format& format)
        : lowest_(format.lowest), bits_(static_cast<unsigned>(format.bits)),
          bytes_((values.size() * bits_ + 7) / 8 + sizeof(std::uint32_t)) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            const auto code = static_cast<std::uint32_t>(values[i] - lowest_);
            for (unsigned b = 0; b < bits_; ++b) {
                const std::size_t at = i * bits_ + b;
                bytes_[at / 8] = static_cast<std::uint8_t>(bytes_[at / 8] | ((code >> b) & 1U) << (at % 8));
            }
        }
    }
    [[nodiscard]] std::int32_t operator[](std::size_t index) const noexcept {
        const std::size_t at = index * bits_;
        const std::uint8_t* from = bytes_.data() + at / 8; // 7 + 16 bits lie in three bytes, and four may be read
        const std::uint32_t word = static_cast<std::uint32_t>(from[0]) | static_cast<std::uint32_t>(from[1]) << 8 |
                                   static_cast<std::uint32_t>(from[2]) << 16;
        return static_cast<std::int32_t>((word >> (at % 8)) & ((1U << bits_) - 1)) + lowest_;
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size(); }

  private:
    std::int32_t lowest_ = 0;
    unsigned bits_ = 0;
    std::vector<std::uint8_t> bytes_{};
};

} // namespace statiq::detail
