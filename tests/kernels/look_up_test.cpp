// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/look_up.hpp>

#include <doctest/doctest.h>

#include "../simd/archs.hpp"
#include "support.hpp"
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <typeinfo>
#include <vector>

namespace kernels = statiq::kernels;
namespace reference = statiq::kernels::reference;
using namespace kernel_test;

namespace {

/// Random tables of 256 values, which an index out of place cannot hit by chance for long, and inputs of every length
/// up to some registers, at every distance from a register's boundary.
template <class In, class Out>
void compare_with_indexing(unsigned seed) {
    std::mt19937 random(seed);
    for (int round = 0; round < 300; ++round) {
        const std::vector<Out> values = random_values<Out>(random, 256);
        std::vector<unsigned char> table(1 + 256 * sizeof(Out));
        const std::size_t offset = random() % 2;
        std::memcpy(table.data() + offset, values.data(), 256 * sizeof(Out));
        const auto size = static_cast<std::size_t>(round < 200 ? round : uniform(random, 200, 1000));
        const auto input = guarded_values<In>(random, size);
        std::vector<Out> expected(size);
        for (std::size_t i = 0; i < size; ++i) expected[i] = values[static_cast<std::uint8_t>(input[i])];
        const auto check = [&](auto&& run) {
            support::guarded_vector<Out> output(size);
            run(reference::look_up_arguments<In, Out>{
                .input = input.data(), .size = size, .table = table.data() + offset, .output = output.data()});
            CHECK(std::equal(output.begin(), output.end(), expected.begin(), expected.end()));
        };
        check([](const auto& of) { reference::look_up(of); });
        for_each_arch(integer_archs{}, [&](auto arch) {
            INFO(typeid(arch).name());
            check([&](const auto& of) { kernels::look_up(of, arch); });
        });
    }
}

} // namespace

TEST_CASE("a table of bytes gives what indexing gives: every instruction set") {
    compare_with_indexing<std::uint8_t, std::uint8_t>(301);
    compare_with_indexing<std::int8_t, std::int8_t>(302);
    compare_with_indexing<std::uint8_t, std::int8_t>(303);
    compare_with_indexing<std::int8_t, std::uint8_t>(304);
}

TEST_CASE("a table of 16-bit values gives what indexing gives") {
    compare_with_indexing<std::int8_t, std::int16_t>(305);
    compare_with_indexing<std::uint8_t, std::uint16_t>(306);
}

TEST_CASE("a look-up may write over its input") {
    std::mt19937 random(307);
    const std::vector<std::uint8_t> table = random_values<std::uint8_t>(random, 256);
    const std::vector<std::uint8_t> input = random_values<std::uint8_t>(random, 777);
    for_each_arch(integer_archs{}, [&](auto arch) {
        INFO(typeid(arch).name());
        std::vector<std::uint8_t> both = input;
        kernels::look_up(
            reference::look_up_arguments<std::uint8_t, std::uint8_t>{
                .input = both.data(), .size = both.size(), .table = table.data(), .output = both.data()},
            arch);
        for (std::size_t i = 0; i < input.size(); ++i) CHECK(both[i] == table[input[i]]);
    });
}
