// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/threads/executor.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>

namespace statiq {

/// Any executor, seen through two pointers: what is trained is not compiled anew for each kind. It must outlive the
/// view.
class executor_view {
  public:
    template <executor E>
    explicit executor_view(E& of) noexcept
        : of_(std::addressof(of)), concurrency_(of.concurrency()),
          run_([](void* at, std::size_t count, void (*call)(void*, std::size_t), void* task) {
              static_cast<E*>(at)->run(count, [call, task](std::size_t index) { call(task, index); });
          }) {}

    [[nodiscard]] std::size_t concurrency() const noexcept { return concurrency_; }

    /// Calls task(0) … task(count - 1), perhaps at once.
    template <class Task>
    void run(std::size_t count, Task&& task) const {
        using callable = std::remove_reference_t<Task>;
        run_(
            of_, count, [](void* at, std::size_t index) { (*static_cast<callable*>(at))(index); },
            const_cast<void*>(static_cast<const void*>(std::addressof(task))));
    }

    /// Splits 0 … count - 1 into contiguous shares, as many as may run at once, and calls work(share, first, last).
    template <class Work>
    void in_shares(std::size_t count, Work&& work) const {
        const std::size_t shares = std::max<std::size_t>(1, (std::min)(concurrency_, count));
        run(shares, [&](std::size_t share) { work(share, count * share / shares, count * (share + 1) / shares); });
    }

  private:
    void* of_;
    std::size_t concurrency_;
    void (*run_)(void*, std::size_t, void (*)(void*, std::size_t), void*);
};

} // namespace statiq
