// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/scratch.hpp>

#include "guarded.hpp"
#include <cstddef>
#include <cstdint>

namespace support {

/// Scratch memory for kernels, between guards and of exactly the size that is asked for. It is full of ones, which no
/// kernel may take for anything.
class guarded_scratch {
  public:
    /// @param bytes of each of the parts.
    explicit guarded_scratch(std::size_t bytes, std::size_t parts = 1) : bytes_(bytes), lines_(bytes * parts / size) {
        for (line& one : lines_)
            for (std::uint8_t& byte : one.bytes) byte = 0xFF;
    }
    /// Of the first part.
    [[nodiscard]] statiq::kernels::scratch_memory memory() const {
        return {reinterpret_cast<std::uint8_t*>(lines_.data()), bytes_};
    }

  private:
    static constexpr std::size_t size = statiq::kernels::scratch_alignment;
    struct alignas(size) line {
        std::uint8_t bytes[size];
    };
    std::size_t bytes_;
    mutable guarded_vector<line> lines_;
};

} // namespace support
