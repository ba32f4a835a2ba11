// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <cstddef>
#include <new>
#include <vector>

namespace statiq {

/// Memory that begins at a cache line: a load of a register that crosses the end of one costs two, which is a twentieth
/// of a float network's time.
template <class T>
struct line_allocator {
    using value_type = T;
    static constexpr std::align_val_t alignment{64};

    line_allocator() noexcept = default;
    template <class U>
    line_allocator(const line_allocator<U>&) noexcept {} // NOLINT(google-explicit-constructor): rebinding

    [[nodiscard]] T* allocate(std::size_t count) {
        return static_cast<T*>(::operator new(count * sizeof(T), alignment));
    }
    void deallocate(T* memory, std::size_t) noexcept { ::operator delete(memory, alignment); }

    friend bool operator==(const line_allocator&, const line_allocator&) noexcept { return true; }
};

/// What kernels stream: packed weights, tensors between layers.
template <class T>
using aligned_vector = std::vector<T, line_allocator<T>>;

} // namespace statiq
