// SPDX-License-Identifier: Apache-2.0
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/float_network.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/execute/weight_only_network.hpp>
#include <statiq/simulate/float_simulation.hpp>
#include <statiq/simulate/simulated_network.hpp>
#include <statiq/threads/thread_pool.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include <cstddef>
#include <cstdlib>
#include <new>
#include <random>
#include <span>
#include <vector>

namespace {
std::size_t allocations = 0;

void* counted_or_null(std::size_t size, std::size_t alignment) noexcept {
    ++allocations;
    const std::size_t whole = (size + alignment - 1) / alignment * alignment;
    return std::aligned_alloc(alignment, whole == 0 ? alignment : whole);
}
void* counted(std::size_t size, std::size_t alignment) {
    void* memory = counted_or_null(size, alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

/// Not inlined: GCC would see `free` of what `new` returned, and warn.
[[gnu::noinline]] void give_back(void* memory) noexcept { std::free(memory); }
} // namespace

// Every form of new and delete that is not listed here ends in one of these, or has a delete of its own.
void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return counted_or_null(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }

using namespace statiq;

namespace {

/// How often `action` asks for memory.
template <class Action>
std::size_t allocations_of(Action&& action) {
    const std::size_t before = allocations;
    action();
    return allocations - before;
}

using weight = quantized<8, symmetric, per_channel>;
using byte = quantized<8, asymmetric>;
using wide = quantized<12, asymmetric>;

struct mixed final : network<decltype(input<7, 7, 2> | conv<8>(kernel<3>) | relu | with<float32>(depthwise | relu) |
                                      with<weight, wide>(add(conv<6> | relu, conv<6>(kernel<3>))) |
                                      concat(max_pool, average_pool) | global_average_pool | dense<5> | softmax)> {};

/// Executions that own their memory take more of it for threads that are new to them, once.
template <class Network>
void check_memory_for_threads(Network& network, std::span<const float> sample) {
    static thread_pool two(2);
    static thread_pool three(3);
    static_assert(!noexcept(network.run(two, sample)));
    network.reserve(2);
    CHECK(allocations_of([&] { network.reserve(2); }) == 0);
    CHECK(allocations_of([&] { network.run(two, sample); }) == 0);
    CHECK(allocations_of([&] { network.run(three, sample); }) <= 1); // none where no layer needs scratch memory
    CHECK(allocations_of([&] { network.run(three, sample); }) == 0);
    CHECK(allocations_of([&] { network.run(sample); }) == 0);
}

template <class Net, class Scheme>
void check_silent(std::mt19937& random) {
    const auto trained = support::random_parameters<Net>(random);
    const auto parameters = deploy(trained);
    const auto samples = support::random_inputs<Net>(random, 2);
    const auto ranges = calibrate(parameters, samples);
    auto model = quantize<weight, byte, Scheme>(parameters, ranges);
    auto& network = model.network();
    std::vector<typename std::remove_cvref_t<decltype(network)>::input_type> input(network.input_size);
    static_assert(noexcept(network.run(input)));

    static thread_pool pool(2);
    static_assert(noexcept(network.run(pool, input)));
    CHECK(allocations_of([&] { network.run(input); }) == 0);
    CHECK(allocations_of([&] { network.run(pool, input); }) == 0);
    CHECK(allocations_of([&] { model(samples[0]); }) == 0);

    float_network<Net> floats(trained);
    float_network<deployed<Net>> deployed_floats(parameters);
    const std::span<const float> sample = samples[0];
    static_assert(noexcept(floats.run(sample))&& noexcept(deployed_floats.run(sample)));
    CHECK(allocations_of([&] { floats.run(sample); }) == 0);
    CHECK(allocations_of([&] { deployed_floats.run(sample); }) == 0);

    using Q = numbers_chosen<deployed<Net>, weight, byte>;
    simulated_network<Q, Scheme> simulated(quantize_parameters<Q>(parameters, ranges));
    simulation<> data = float_simulation(as_data(parameters));
    static_assert(noexcept(simulated.run(sample))&& noexcept(data.run(sample)));
    CHECK(allocations_of([&] { simulated.run(sample); }) == 0);
    CHECK(allocations_of([&] { data.run(sample); }) == 0);
    check_memory_for_threads(floats, sample);
    check_memory_for_threads(simulated, sample);
    check_memory_for_threads(data, sample);
}

/// Networks all of whose layers are float but for their weights.
template <class Net>
void check_weight_only_silent(std::mt19937& random) {
    auto network =
        quantize_weights<quantized<4, symmetric, per_group<8>>>(deploy(support::random_parameters<Net>(random)));
    const auto samples = support::random_inputs<Net>(random, 1);
    const std::span<const float> sample = samples[0];
    static_assert(noexcept(network.run(sample)));
    CHECK(allocations_of([&] { network.run(sample); }) == 0);
    check_memory_for_threads(network, sample);
}

} // namespace

TEST_CASE("inference asks for no memory") {
    std::mt19937 random(131);
    CHECK(allocations_of([&] { (void)support::random_inputs<mixed>(random, 3); }) >= 3); // the counter counts
    check_silent<mixed, float_multiplier>(random);
    check_silent<mixed, gemmlowp>(random);
    support::for_each_random_network<0, 4>([&]<class Net>() {
        check_silent<Net, single_rounding>(random);
        check_weight_only_silent<Net>(random);
    });
}
