// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <cstddef>
#include <cstdint>
#include <new>

namespace statiq::kernels {

/// Scratch memory begins at a multiple of this many bytes, a cache line, and so does every array that is taken from it.
inline constexpr std::size_t scratch_alignment = 64;

/// The smallest multiple of `scratch_alignment` that is not less.
[[nodiscard]] constexpr std::size_t whole_lines(std::size_t bytes) noexcept {
    return (bytes + scratch_alignment - 1) / scratch_alignment * scratch_alignment;
}

/// Memory for a kernel's own use while it runs. Neither its contents before a call nor those after it mean anything.
/// `scratch_bytes` (kernels/convolution/scratch_bytes.hpp) is how much a convolution needs.
struct scratch_memory {
    std::uint8_t* first = nullptr; ///< aligned to `scratch_alignment`
    std::size_t bytes = 0;         ///< a multiple of `scratch_alignment`

    /// The memory of part `index`, where parts that run at once have `bytes` bytes each, one behind another.
    [[nodiscard]] constexpr scratch_memory of_part(std::size_t index) const noexcept {
        return {first + index * bytes, bytes};
    }

    /// Takes an array of default-initialized objects from the front.
    /// @pre whole_lines(count * sizeof(T)) <= bytes
    template <class T>
    [[nodiscard]] T* take(std::size_t count) noexcept {
        static_assert(alignof(T) <= scratch_alignment);
        T* const taken = reinterpret_cast<T*>(first);
        for (std::size_t i = 0; i < count; ++i) ::new (static_cast<void*>(taken + i)) T;
        const std::size_t size = whole_lines(count * sizeof(T));
        first += size;
        bytes -= size;
        return taken;
    }
};

} // namespace statiq::kernels
