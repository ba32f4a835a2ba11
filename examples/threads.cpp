// SPDX-License-Identifier: Apache-2.0
//
// One inference on several threads: statiq's own pool, and adapters for oneTBB and OpenMP where the build has found
// them. Their results are the sequential one's, bit for bit. docs/threads.md explains.
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/networks/mobilenet_v1.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/threads/thread_pool.hpp>

#ifdef STATIQ_EXAMPLE_ONETBB
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>
#endif
#ifdef STATIQ_EXAMPLE_OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <span>
#include <thread>
#include <vector>

namespace sq = statiq;

#ifdef STATIQ_EXAMPLE_ONETBB
/// The threads of the oneTBB arena that the caller is in.
struct onetbb_threads {
    [[nodiscard]] std::size_t concurrency() const {
        return static_cast<std::size_t>(tbb::this_task_arena::max_concurrency());
    }
    template <class Task>
    void run(std::size_t count, Task&& task) const {
        tbb::parallel_for(
            std::size_t{0}, count, [&](std::size_t i) { task(i); }, tbb::static_partitioner{});
    }
    /// Handing out a task takes oneTBB some microseconds.
    [[nodiscard]] static constexpr std::size_t grain() { return std::size_t{1} << 22; }
};
#endif

#ifdef STATIQ_EXAMPLE_OPENMP
/// OpenMP's threads, as many as it would use by itself.
struct openmp_threads {
    [[nodiscard]] std::size_t concurrency() const { return static_cast<std::size_t>(omp_get_max_threads()); }
    template <class Task>
    void run(std::size_t count, Task&& task) const {
#pragma omp parallel for schedule(static)
        for (std::size_t i = 0; i < count; ++i) task(i);
    }
};
#endif

namespace {

using definition = sq::networks::mobilenet_v1<50, 128>;
using graph = sq::deployed<definition>;
using weight = sq::quantized<8, sq::symmetric, sq::per_channel>;
using activation = sq::quantized<8, sq::asymmetric>;
using numbers = sq::numbers_chosen<graph, weight, activation>;

/// One of several threads that infer at once: parameters are shared, network and arena are its own.
std::vector<std::uint8_t> infer(const sq::integer_parameters<numbers, sq::default_scheme>& shared,
                                const std::vector<std::uint8_t>& input) {
    using network_type = sq::integer_network<numbers>;
    alignas(sq::arena_alignment) static thread_local std::array<std::uint8_t, network_type::arena_size> arena;
    network_type network(shared, arena); // a few words: cheap to make
    const auto output = network(input);
    return {output.begin(), output.end()};
}

std::vector<float> random_reals(std::mt19937& random, std::size_t count, double limit) {
    std::uniform_real_distribution<float> any(static_cast<float>(-limit), static_cast<float>(limit));
    std::vector<float> reals(count);
    for (float& real : reals) real = any(random);
    return reals;
}

/// A set of one sample.
struct one_sample {
    std::span<const float> values;
    [[nodiscard]] static std::size_t size() { return 1; }
    [[nodiscard]] std::span<const float> operator[](std::size_t) const { return values; }
};

bool all_equal = true;

/// Runs the network on an executor, and says whether it gives what one thread does, and how long it takes.
template <sq::executor Executor, class Network>
void show(const char* name, Executor& threads, Network& network, const std::vector<std::uint8_t>& input,
          const std::vector<std::uint8_t>& expected) {
    constexpr int runs = 20;
    const auto output = network.run(threads, input);
    const bool equal = std::equal(output.begin(), output.end(), expected.begin(), expected.end());
    all_equal = all_equal && equal;
    double shortest = INFINITY;
    for (int i = 0; i < runs; ++i) {
        const auto start = std::chrono::steady_clock::now();
        network.run(threads, input);
        const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
        shortest = std::min(shortest, time.count());
    }
    std::printf("%-10s %2zu threads  %7.1f us  %s\n", name, threads.concurrency(), shortest,
                equal ? "equal" : "NOT EQUAL");
}

} // namespace

int main() {
    std::mt19937 random(1);
    sq::parameters<graph> parameters = sq::zero_parameters<graph>();
    for (std::size_t i = 0; i < sq::node_count<graph>; ++i)
        if (const sq::node& n = graph::nodes[i]; n.is_linear())
            parameters[i].weight =
                random_reals(random, parameters[i].weight.size(), 2.0 / std::sqrt(n.convolution().reduction()));
    const std::vector<float> sample = random_reals(random, sq::input_extents<graph>.size(), 1);
    auto model = sq::quantize<weight, activation>(parameters, sq::calibrate(parameters, one_sample{sample}));
    auto& network = model.network();

    std::vector<std::uint8_t> input(sample.size());
    for (std::uint8_t& value : input) value = static_cast<std::uint8_t>(random() % 256);
    const auto output = network.run(input);
    const std::vector<std::uint8_t> expected(output.begin(), output.end());

    sq::sequential alone;
    show("sequential", alone, network, input, expected);
    sq::thread_pool pool;
    show("statiq", pool, network, input, expected);
#ifdef STATIQ_EXAMPLE_ONETBB
    onetbb_threads onetbb;
    show("oneTBB", onetbb, network, input, expected);
#endif
#ifdef STATIQ_EXAMPLE_OPENMP
    openmp_threads openmp;
    show("OpenMP", openmp, network, input, expected);
#endif

    // Several inferences at once, each on one thread.
    std::array<std::vector<std::uint8_t>, 3> outputs;
    std::vector<std::thread> threads;
    for (auto& result : outputs) threads.emplace_back([&] { result = infer(model.parameters(), input); });
    for (std::thread& thread : threads) thread.join();
    for (const auto& result : outputs) all_equal = all_equal && result == expected;
    return all_equal ? 0 : 1;
}
