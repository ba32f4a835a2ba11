// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/executor.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace statiq {

namespace detail {

/// Processors the calling thread may run on, where the system tells.
inline std::size_t usable_processors() noexcept {
#if defined(__linux__)
    cpu_set_t usable;
    if (sched_getaffinity(0, sizeof(usable), &usable) == 0) return static_cast<std::size_t>(CPU_COUNT(&usable));
#endif
    return std::max(1U, std::thread::hardware_concurrency());
}

/// Lets the calling thread run wherever the system lets the process.
inline void use_every_processor() noexcept {
#if defined(__linux__)
    cpu_set_t all;
    CPU_ZERO(&all);
    for (std::size_t processor = 0; processor < CPU_SETSIZE; ++processor) CPU_SET(processor, &all);
    sched_setaffinity(0, sizeof(all), &all);
#endif
}

/// Says that this is a loop of waiting.
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

} // namespace detail

/// Where a pool's threads may run.
enum class thread_placement : unsigned char {
    enough,    ///< where its maker may, or anywhere if these are fewer processors than threads
    inherited, ///< where its maker may
};

/// Threads that wait for work: at first awake, so that a layer begins within a microsecond, later asleep. The thread
/// that calls `run` takes part. Tasks are handed out one by one, in order. One job runs at a time: a call of `run` from
/// a task, or while another thread's is in progress, runs its tasks on the calling thread alone.
class thread_pool {
  public:
    /// @param threads the caller's own included. @param awake how long threads without work wait awake.
    /// @throws std::system_error when the system gives no thread
    explicit thread_pool(std::size_t threads = detail::usable_processors(),
                         thread_placement placement = thread_placement::enough,
                         std::chrono::microseconds awake = std::chrono::microseconds{100})
        : awake_(awake) {
        const bool anywhere = placement == thread_placement::enough && detail::usable_processors() < threads;
        workers_.reserve(threads);
        for (std::size_t i = 1; i < threads; ++i)
            workers_.emplace_back([this, anywhere](const std::stop_token& stop) {
                if (anywhere) detail::use_every_processor();
                work(stop);
            });
    }
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;

    [[nodiscard]] std::size_t concurrency() const noexcept { return workers_.size() + 1; }

    /// Calls task(0) … task(count - 1). Asks for no memory. @pre count < 2^32
    template <class Task>
    void run(std::size_t count, Task&& task) noexcept {
        if (count < 2 || workers_.empty() || busy_.test_and_set(std::memory_order_acquire)) {
            for (std::size_t i = 0; i < count; ++i) task(i);
            return;
        }
        using callable = std::remove_reference_t<Task>;
        call_.store([](void* at, std::size_t index) { (*static_cast<callable*>(at))(index); },
                    std::memory_order_relaxed);
        task_.store(const_cast<void*>(static_cast<const void*>(std::addressof(task))), std::memory_order_relaxed);
        count_.store(count, std::memory_order_relaxed);
        unfinished_.store(static_cast<std::uint32_t>(count), std::memory_order_relaxed);
        const std::uint64_t job = (ticket_.load(std::memory_order_relaxed) >> 32) + 1;
        ticket_.store(job << 32 | count, std::memory_order_release);
        wake();
        take_part();
        wait(unfinished_, [](std::uint32_t left) { return left == 0; });
        busy_.clear(std::memory_order_release);
    }

  private:
    /// Takes tasks of the job in progress until none is left.
    void take_part() noexcept {
        std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
        while (const std::uint32_t left = static_cast<std::uint32_t>(ticket)) {
            const auto call = call_.load(std::memory_order_relaxed);
            void* const task = task_.load(std::memory_order_relaxed);
            const std::size_t index = count_.load(std::memory_order_relaxed) - left;
            // A job stays while one of its tasks is unfinished: where this succeeds, what was read is the ticket's job.
            if (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel,
                                               std::memory_order_acquire))
                continue;
            call(task, index);
            if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
            ticket = ticket_.load(std::memory_order_acquire);
        }
    }

    void work(const std::stop_token& stop) noexcept {
        const std::stop_callback wake_up(stop, [this] { wake(); });
        for (;;) {
            const std::uint32_t seen = jobs_.load(std::memory_order_acquire);
            if (stop.stop_requested()) return;
            take_part();
            wait(jobs_, [seen](std::uint32_t jobs) { return jobs != seen; });
        }
    }

    void wake() noexcept {
        jobs_.fetch_add(1);
        jobs_.notify_all();
    }

    /// Waits until `holds(value)`, awake for a while.
    template <class Holds>
    void wait(const std::atomic<std::uint32_t>& value, Holds holds) const noexcept {
        using clock = std::chrono::steady_clock;
        constexpr int looks = 64; // between looks at the clock
        const auto until = clock::now() + awake_;
        do
            for (int look = 0; look < looks; ++look) {
                if (holds(value.load(std::memory_order_acquire))) return;
                detail::relax();
            }
        while (clock::now() < until);
        for (std::uint32_t now = value.load(std::memory_order_acquire); !holds(now);
             now = value.load(std::memory_order_acquire))
            value.wait(now, std::memory_order_acquire);
    }

    static constexpr std::size_t line = 64; ///< what threads write lies apart

    // The job in progress, or the last. Written while it has no unfinished task.
    std::atomic<void (*)(void*, std::size_t)> call_{nullptr};
    std::atomic<void*> task_{nullptr};
    std::atomic<std::size_t> count_{0};
    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
    std::chrono::microseconds awake_;
    alignas(line) std::atomic<std::uint64_t> ticket_{0}; ///< number of the job, then how many tasks nobody has taken
    alignas(line) std::atomic<std::uint32_t> unfinished_{0};
    alignas(line) std::atomic<std::uint32_t> jobs_{0}; ///< a change wakes who waits for work
    std::vector<std::jthread> workers_{};              ///< last: the first to go
};

} // namespace statiq
