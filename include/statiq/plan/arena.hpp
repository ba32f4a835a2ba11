// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/plan/memory.hpp>
#include <statiq/tensor/exact_span.hpp>
#include <statiq/tensor/refusal.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace statiq {

namespace detail {

/// Refuses an array that is shorter than a network's arena.
template <std::size_t AtLeast, std::size_t Found>
constexpr bool check_arena() {
    static_assert(Found >= AtLeast, "statiq: the arena is too short; the message says what it takes, and what it got");
    return true;
}

/// Refuses memory that two parts of a call would both use. Not in constant expressions, where addresses have no order.
/// @param what what lies in the other memory, in bytes
constexpr void require_apart(const char* what, const void* a, std::size_t a_bytes, const void* b,
                             std::size_t b_bytes) noexcept {
    if (std::is_constant_evaluated()) return;
    const auto from = reinterpret_cast<std::uintptr_t>(a);
    const auto other = reinterpret_cast<std::uintptr_t>(b);
    const std::uintptr_t first = from > other ? from : other;
    const std::uintptr_t end = from + a_bytes < other + b_bytes ? from + a_bytes : other + b_bytes;
    require_count(what, 0, first < end ? static_cast<std::size_t>(end - first) : 0);
}

} // namespace detail

/// A caller's memory for a network's tensors: at least Size bytes, the first at a multiple of `arena_alignment`. Arrays
/// that are too short do not compile; other memory is checked when the program runs, and refused (`refused`).
template <std::size_t Size>
class arena_span {
  public:
    template <detail::contiguous_values<std::uint8_t> Memory>
    constexpr arena_span(Memory&& memory) noexcept { // NOLINT(google-explicit-constructor): networks take any memory
        const detail::span_of<Memory> whole(memory);
        constexpr std::size_t extent = detail::span_of<Memory>::extent;
        if constexpr (extent != std::dynamic_extent)
            static_assert(detail::check_arena<Size, extent>());
        else
            detail::require_at_least("arena: bytes", Size, whole.size());
        data_ = whole.data();
        size_ = whole.size();
        if (!std::is_constant_evaluated())
            detail::require_count("arena: bytes between its first and the multiple of arena_alignment before it", 0,
                                  reinterpret_cast<std::uintptr_t>(data_) % arena_alignment);
    }
    [[nodiscard]] constexpr std::uint8_t* data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }

  private:
    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace statiq
