// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/scratch.hpp>
#include <statiq/tensor/aligned_vector.hpp>

#include <cstddef>
#include <cstdint>

namespace statiq::detail {

/// The kernels' scratch memory, owned, for one thread or for several.
class thread_scratch {
  public:
    /// @param bytes for each thread
    explicit thread_scratch(std::size_t bytes) : bytes_(bytes) { reserve(1); }

    /// Takes memory for this many threads, if there is none.
    void reserve(std::size_t threads) {
        if (threads <= threads_) return;
        memory_.resize(threads * bytes_);
        threads_ = threads;
    }
    /// The first thread's memory; the other threads' lies behind it.
    [[nodiscard]] kernels::scratch_memory first() noexcept { return {memory_.data(), bytes_}; }

  private:
    std::size_t bytes_;
    std::size_t threads_ = 0;
    aligned_vector<std::uint8_t> memory_{};
};

} // namespace statiq::detail
