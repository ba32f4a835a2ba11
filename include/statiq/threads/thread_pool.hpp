// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/threads/executor.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
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
    return (std::max)(1U, std::thread::hardware_concurrency());
}

/// While it lives, threads that the calling thread makes are not confined to its processors if these are fewer than
/// there are threads: they get the others the system allows, or all where there are too few others.
class elsewhere {
  public:
    explicit elsewhere([[maybe_unused]] std::size_t threads) noexcept {
#if defined(__linux__)
        const auto count = [](const cpu_set_t& set) { return static_cast<std::size_t>(CPU_COUNT(&set)); };
        if (sched_getaffinity(0, sizeof(own_), &own_) != 0 || count(own_) >= threads) return;
        cpu_set_t others;
        CPU_ZERO(&others);
        for (std::size_t i = 0; i < CPU_SETSIZE; ++i) CPU_SET(i, &others);
        left_ = sched_setaffinity(0, sizeof(others), &others) == 0;
        sched_getaffinity(0, sizeof(others), &others);
        CPU_XOR(&others, &others, &own_); // of all, which hold its own
        if (left_ && count(others) + 1 >= threads) sched_setaffinity(0, sizeof(others), &others);
#endif
    }
    elsewhere(const elsewhere&) = delete;
    elsewhere& operator=(const elsewhere&) = delete;
    ~elsewhere() {
#if defined(__linux__)
        if (left_) sched_setaffinity(0, sizeof(own_), &own_);
#endif
    }

  private:
#if defined(__linux__)
    cpu_set_t own_;
    bool left_ = false;
#endif
};

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
    enough,    ///< where its maker may, or elsewhere if these are fewer processors than threads
    inherited, ///< where its maker may
};

/// Threads that wait for work: at first awake, so that a layer begins within a microsecond, later asleep. The thread
/// that calls `run` takes part. Up to 32 tasks keep to a thread of their own if it comes in time, so that a part of the
/// next layer finds the same cache; more are handed out in order. One job runs at a time: a call of `run` from a task,
/// or while another thread's is in progress, runs its tasks on the calling thread alone.
class thread_pool {
  public:
    /// @param threads the caller's own included. @param awake how long threads without work wait awake.
    /// @throws std::system_error when the system gives no thread
    explicit thread_pool(std::size_t threads = detail::usable_processors(),
                         thread_placement placement = thread_placement::enough,
                         std::chrono::microseconds awake = std::chrono::microseconds{100})
        : awake_(awake) {
        const detail::elsewhere place(placement == thread_placement::enough ? threads : 0);
        workers_.threads.reserve(threads);
        for (std::size_t i = 1; i < threads; ++i) workers_.threads.emplace_back([this, i] { work(i); });
    }
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;

    [[nodiscard]] std::size_t concurrency() const noexcept { return workers_.threads.size() + 1; }

    /// Calls task(0) … task(count - 1). Asks for no memory. @pre count < 2^32
    template <class Task>
    void run(std::size_t count, Task&& task) noexcept {
        if (count < 2 || workers_.threads.empty() || busy_.test_and_set(std::memory_order_acquire)) {
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
        const std::uint64_t tasks = count <= most_marked ? (std::uint64_t{1} << count) - 1 : count;
        ticket_.store(job << 32 | tasks, std::memory_order_release);
        wake();
        take_part(0);
        wait(unfinished_, [](std::uint32_t left) { return left == 0; });
        busy_.clear(std::memory_order_release);
    }

  private:
    /// Takes tasks of the job in progress until none is left, that of the thread's own number first.
    void take_part(std::size_t thread) noexcept {
        std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
        while (const auto left = static_cast<std::uint32_t>(ticket)) {
            const auto call = call_.load(std::memory_order_relaxed);
            void* const task = task_.load(std::memory_order_relaxed);
            const std::size_t count = count_.load(std::memory_order_relaxed);
            std::size_t index = count - left;
            std::uint64_t taken = 1;
            if (count <= most_marked) {
                const bool is_own = thread < count && (left >> thread & 1U) != 0;
                index = is_own ? thread : static_cast<std::size_t>(std::countr_zero(left));
                taken = std::uint64_t{1} << index;
            }
            // A job stays while one of its tasks is unfinished: where this succeeds, what was read is the ticket's job.
            if (!ticket_.compare_exchange_weak(ticket, ticket - taken, std::memory_order_acq_rel,
                                               std::memory_order_acquire))
                continue;
            call(task, index);
            if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
            ticket = ticket_.load(std::memory_order_acquire);
        }
    }

    void work(std::size_t thread) noexcept {
        for (;;) {
            const std::uint32_t seen = jobs_.load(std::memory_order_acquire);
            if (ends_.load(std::memory_order_acquire)) return;
            take_part(thread);
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

    /// The pool's threads, ended and joined when it goes, or when its constructor gets no more of them. (libc++ has had
    /// std::jthread since its version 20 only.)
    struct joined_threads {
        explicit joined_threads(thread_pool& of) noexcept : pool(of) {}
        joined_threads(const joined_threads&) = delete;
        joined_threads& operator=(const joined_threads&) = delete;
        ~joined_threads() {
            pool.ends_.store(true, std::memory_order_release);
            pool.wake();
            for (std::thread& one : threads) one.join();
        }
        thread_pool& pool;
        std::vector<std::thread> threads{};
    };

    static constexpr std::size_t most_marked = 32; ///< tasks
    static constexpr std::size_t line = 64;        ///< what threads write lies apart

    // The job in progress, or the last. Written while it has no unfinished task.
    std::atomic<void (*)(void*, std::size_t)> call_{nullptr};
    std::atomic<void*> task_{nullptr};
    std::atomic<std::size_t> count_{0};
    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
    std::atomic<bool> ends_{false};
    std::chrono::microseconds awake_;
    /// The job's number, then the tasks that nobody has taken: a bit for each if they are few, else how many.
    alignas(line) std::atomic<std::uint64_t> ticket_{0};
    alignas(line) std::atomic<std::uint32_t> unfinished_{0};
    alignas(line) std::atomic<std::uint32_t> jobs_{0}; ///< a change wakes who waits for work
    joined_threads workers_{*this};                    ///< last: the first to go
};

} // namespace statiq
