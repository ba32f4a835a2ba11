// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <concepts>
#include <cstddef>

namespace statiq {

/// What runs the parts of one layer: the caller's threads. `run(count, task)` calls task(0) … task(count - 1), each
/// once, in any order, perhaps at once, and returns when all have ended; what they wrote is visible then. Tasks do not
/// throw, and no task waits for another. `concurrency()` is how many may run at once, at least 1: a layer is divided
/// into at most this many parts.
template <class E>
concept executor = requires(E& e, std::size_t count, void (&task)(std::size_t)) {
    { e.concurrency() } -> std::convertible_to<std::size_t>;
    e.run(count, task);
};

/// Multiply-accumulates that are worth a task: an executor may say so as `grain()`. By default some microseconds'
/// worth: what another processor has written takes so long to come, even where handing out a task takes no time. Where
/// that takes longer, say more.
template <executor E>
[[nodiscard]] constexpr std::size_t grain_of(E& e) noexcept {
    if constexpr (requires { e.grain(); })
        return e.grain();
    else
        return std::size_t{1} << 20;
}

/// Everything on the calling thread.
struct sequential {
    [[nodiscard]] static constexpr std::size_t concurrency() noexcept { return 1; }
    template <class Task>
    static constexpr void run(std::size_t count, Task&& task) {
        for (std::size_t i = 0; i < count; ++i) task(i);
    }
};

namespace detail {

/// An executor's threads, but no more of them than there is scratch memory for.
template <executor E>
class limited_threads {
  public:
    constexpr limited_threads(E& threads, std::size_t most) noexcept : threads_(&threads), most_(most) {}

    [[nodiscard]] constexpr std::size_t concurrency() const {
        const std::size_t all = threads_->concurrency();
        return all < most_ ? all : most_;
    }
    [[nodiscard]] constexpr std::size_t grain() const { return grain_of(*threads_); }
    template <class Task>
    constexpr void run(std::size_t count, Task&& task) const {
        threads_->run(count, task);
    }

  private:
    E* threads_;
    std::size_t most_;
};

template <class Executor>
inline constexpr bool is_sequential = false;
template <>
inline constexpr bool is_sequential<sequential> = true;
template <>
inline constexpr bool is_sequential<limited_threads<sequential>> = true;

} // namespace detail

} // namespace statiq
