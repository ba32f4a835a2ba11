// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace support {

inline bool is_next_at_end() noexcept {
    static bool at_end = false;
    return at_end = !at_end;
}

/// Memory between two pages that nobody may touch. In turns, an allocation ends where the second one begins, and begins
/// where the first one ends: whoever reads or writes beyond it, by whatever instruction, is stopped by the processor.
/// (An address sanitizer sees neither assembly nor some intrinsics.)
template <class T>
struct guarded_allocator {
    using value_type = T;

    guarded_allocator() = default;
    template <class Other>
    guarded_allocator(const guarded_allocator<Other>&) noexcept {} // NOLINT(google-explicit-constructor)

    [[nodiscard]] T* allocate(std::size_t count) {
        const bool at_end = is_next_at_end();
        const std::size_t bytes = count * sizeof(T);
        const std::size_t inner = inner_size(count);
        void* const whole = mmap(nullptr, inner + 2 * page(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (whole == MAP_FAILED) throw std::bad_alloc();
        char* const first = static_cast<char*>(whole) + page();
        if (mprotect(first, inner, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
        return reinterpret_cast<T*>(first + (at_end ? inner - bytes : 0));
    }
    void deallocate(T* from, std::size_t count) noexcept {
        const auto address = reinterpret_cast<std::uintptr_t>(from); // in the first of the inner pages, or at its end
        munmap(reinterpret_cast<void*>(address / page() * page() - page()), inner_size(count) + 2 * page());
    }
    friend bool operator==(const guarded_allocator&, const guarded_allocator&) noexcept { return true; }

  private:
    static std::size_t page() noexcept {
        static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        return size;
    }
    static std::size_t inner_size(std::size_t count) noexcept {
        const std::size_t bytes = count == 0 ? 1 : count * sizeof(T);
        return (bytes + page() - 1) / page() * page();
    }
};

/// Guarded exactly if its size was given when it was made, or by a resize of an empty one.
template <class T>
using guarded_vector = std::vector<T, guarded_allocator<T>>;

} // namespace support
