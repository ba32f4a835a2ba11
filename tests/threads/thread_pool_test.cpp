// SPDX-License-Identifier: Apache-2.0
#include <statiq/threads/thread_pool.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

using namespace statiq;

static_assert(executor<sequential> && executor<thread_pool>);

namespace {

/// How often each task of a run was called.
template <executor E>
std::vector<int> calls(E& workers, std::size_t count) {
    std::vector<int> seen(count, 0);
    workers.run(count, [&](std::size_t i) { ++seen[i]; });
    return seen;
}

} // namespace

TEST_CASE("an executor calls each task once, and what tasks wrote is there when it returns") {
    sequential alone;
    CHECK(calls(alone, 5) == std::vector<int>(5, 1));
    for (const std::size_t threads : {1U, 2U, 3U, 5U}) {
        thread_pool workers(threads);
        CHECK(workers.concurrency() == threads);
        for (int round = 0; round < 200; ++round)
            for (const std::size_t count : {0U, 1U, 2U, 3U, 7U, 32U, 33U, 100U})
                REQUIRE(calls(workers, count) == std::vector<int>(count, 1));
    }
}

TEST_CASE("a pool whose threads sleep wakes them for every job") {
    thread_pool workers(3, thread_placement::enough, std::chrono::microseconds{0});
    for (int round = 0; round < 200; ++round) {
        REQUIRE(calls(workers, 4) == std::vector<int>(4, 1));
        if (round % 16 == 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
}

TEST_CASE("tasks run at once, as many as the pool has threads") {
    constexpr std::size_t threads = 3;
    thread_pool workers(threads);
    std::atomic<std::size_t> together{0};
    // Each waits for all others: one thread alone would never end.
    workers.run(threads, [&](std::size_t) {
        ++together;
        while (together.load() < threads) std::this_thread::yield();
    });
    CHECK(together.load() == threads);
}

TEST_CASE("runs inside a task, and from several threads, run all their tasks") {
    thread_pool workers(2);
    std::vector<std::vector<int>> inner(6);
    workers.run(inner.size(), [&](std::size_t i) { inner[i] = calls(workers, 4); });
    for (const std::vector<int>& seen : inner) CHECK(seen == std::vector<int>(4, 1));

    std::atomic<int> wrong{0};
    const auto caller = [&] {
        for (int round = 0; round < 500; ++round) wrong += calls(workers, 9) == std::vector<int>(9, 1) ? 0 : 1;
    };
    std::thread other(caller);
    caller();
    other.join();
    CHECK(wrong.load() == 0);
}
