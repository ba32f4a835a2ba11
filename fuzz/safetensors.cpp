// SPDX-License-Identifier: Apache-2.0

// Safetensors files, and a network's float parameters in them.

#include <statiq/graph/network.hpp>
#include <statiq/io/parameters.hpp>
#include <statiq/operations/library.hpp>

#include "../tests/support/readers.hpp"
#include "seed_file.hpp"
#include "target.hpp"
#include <cstdint>
#include <vector>

namespace {

struct net final
    : statiq::network<decltype(statiq::input<2, 2, 1> | statiq::named<"conv">(statiq::conv<2>(statiq::kernel<2>)) |
                               statiq::batch_norm | statiq::flatten | statiq::named<"fc">(statiq::dense<2>))> {};

} // namespace

void fuzz::read(const bytes& input) {
    const statiq::io::safetensors file = readers::read_safetensors(input);
    (void)statiq::io::read_parameters<net>(file);
}

std::vector<fuzz::bytes> fuzz::seeds() {
    const auto plain = [](const auto& path) {
        statiq::io::save(path, statiq::zero_parameters<net>(), {{"made by", "a seed"}});
    };
    // The same numbers as doubles and halves, among tensors of other types.
    const auto mixed = [](const auto& path) {
        using statiq::io::bfloat16, statiq::io::float16;
        statiq::io::write_safetensors(path, statiq::io::safetensors_builder()
                                                .add("conv.weight", {2, 1, 2, 2}, std::vector<double>(8, -0.5))
                                                .add("conv.bn.gamma", {2}, std::vector<float16>(2, {0x3C00}))
                                                .add("conv.bn.beta", {2}, std::vector<bfloat16>(2, {0x3F80}))
                                                .add("conv.bn.mean", {2}, std::vector<float>{1, 2})
                                                .add("conv.bn.var", {2}, std::vector<float>{1, 0})
                                                .add("fc.weight", {2, 8}, std::vector<float>(16, 3))
                                                .add("fc.bias", {2}, std::vector<float>(2, 1e-40F))
                                                .add("steps", {}, std::vector<std::int64_t>{7})
                                                .add("none", {0, 3}, std::vector<std::int8_t>{})
                                                .add("\xC3\xA9", {3}, std::vector<std::uint8_t>{1, 2, 3}));
    };
    return {seed_file(plain), seed_file(mixed)};
}
