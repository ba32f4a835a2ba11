// SPDX-License-Identifier: Apache-2.0
// What stack inference takes, on threads that have little of it.
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/float_network.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/execute/stack.hpp>
#include <statiq/execute/weight_only_network.hpp>

#include <doctest/doctest.h>

#include "../stack/every_nest.hpp"
#include "../support/guarded.hpp"
#include "../support/random_parameters.hpp"
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <pthread.h>
#include <random>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
#define STACK_TEST_SKIPS true // the bound is for optimized code, and a sanitizer's frames are its own
#else
#define STACK_TEST_SKIPS false
#endif

using namespace statiq;

namespace {

constexpr std::size_t small_stack = 48 * 1024;
constexpr unsigned char paint = 0xA5;

/// Calls action() on a thread whose stack has 48 kB between guard pages.
/// @return the bytes of it that the call has changed, from the caller's frame down.
template <class Action>
std::size_t stack_of(Action& action) {
    support::guarded_vector<unsigned char> stack(small_stack, paint);
    struct call {
        Action& action;
        const unsigned char* frame = nullptr;
    } one{action};
    pthread_attr_t attributes;
    REQUIRE(pthread_attr_init(&attributes) == 0);
    REQUIRE(pthread_attr_setstack(&attributes, stack.data(), stack.size()) == 0);
    pthread_t thread{};
    const auto entry = [](void* of) -> void* {
        auto& to_do = *static_cast<call*>(of);
        to_do.frame = static_cast<const unsigned char*>(__builtin_frame_address(0));
        to_do.action();
        return nullptr;
    };
    REQUIRE(pthread_create(&thread, &attributes, entry, &one) == 0);
    REQUIRE(pthread_join(thread, nullptr) == 0);
    pthread_attr_destroy(&attributes);
    const auto* const lowest =
        std::find_if(stack.data(), stack.data() + stack.size(), [](unsigned char byte) { return byte != paint; });
    return static_cast<std::size_t>(one.frame - lowest);
}

/// Once before, so that what is bound and made at the first call is not measured.
template <class Network, class Input>
void check_stack(const std::string& name, Network& network, const Input& input, std::size_t bound) {
    const auto run = [&] { network.run(input); };
    run();
    const std::size_t taken = stack_of(run);
    INFO(name);
    CHECK(taken > 0);
    CHECK(taken <= bound);
}

template <class Weight, class Activation, class Scheme>
void check_integers(const std::string& name, std::mt19937& random) {
    const auto reals = deploy(support::random_parameters<stack::every_nest>(random));
    const auto samples = support::random_inputs<stack::every_nest>(random, 2);
    auto model = quantize<Weight, Activation, Scheme>(reals, calibrate(reals, samples));
    auto& network = model.network();
    using network_type = std::remove_cvref_t<decltype(network)>;
    std::vector<typename network_type::input_type> input(network_type::input_size);
    for (auto& value : input) value = static_cast<typename network_type::input_type>(random() % 256);
    check_stack(name, network, input, stack_bytes<typename decltype(model)::graph>);
}

} // namespace

TEST_CASE("inference runs on a thread with a small stack, within its bound" * doctest::skip(STACK_TEST_SKIPS)) {
    std::mt19937 random(171);
    using stack::byte, stack::bytes, stack::nibbles;
    static_assert(stack_bytes<stack::numbers<bytes, byte>> <= small_stack / 2);
    check_integers<bytes, byte, float_multiplier>("8 bits", random);
    check_integers<byte, byte, gemmlowp>("8 bits with zero points", random);
    check_integers<nibbles, byte, float_multiplier>("weights of 4 bits", random);

    const auto reals = deploy(support::random_parameters<stack::every_nest>(random));
    const auto samples = support::random_inputs<stack::every_nest>(random, 1);
    stack::reals_network floats(reals);
    check_stack("float32", floats, samples[0], stack_bytes<deployed<stack::every_nest>>);
    auto weights_alone = quantize_weights<nibbles>(reals);
    check_stack("weights alone", weights_alone, samples[0], stack_bytes<stack::numbers<nibbles, float32>>);
}
