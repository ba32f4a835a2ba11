// SPDX-License-Identifier: Apache-2.0

// Checkpoints. What is accepted is finite, stands where its batches may stand, and is written again.

#include <statiq/train/fit.hpp>
#include <statiq/train/initialize.hpp>
#include <statiq/train/training_network.hpp>

#include "../tests/support/readers.hpp"
#include "seed_file.hpp"
#include "target.hpp"
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace {

namespace sq = statiq;

struct net final : sq::network<decltype(sq::input<2, 2, 1> | sq::named<"conv">(sq::pointwise<2>) | sq::batch_norm |
                                        sq::flatten | sq::named<"fc">(sq::dense<2>))> {};

/// A small training, with everything a checkpoint may hold.
struct training {
    static constexpr std::size_t count = 8;
    std::vector<std::int32_t> labels = std::vector<std::int32_t>(count, 1);
    sq::io::image_set images{
        {"images", sq::io::dtype::u8, {count, 2, 2, 1}, fuzz::bytes(count * 4, std::byte{9}), 0}, {2, 2, 1}, {}};
    sq::random_numbers random{1};
    sq::sequential threads{};
    sq::training_network<net> network{sq::initial_parameters<net>(random), 2, threads};
    sq::batches source{images, labels, 2, {.padding = 1, .flip = true}, 1};
    sq::fitting<sq::training_network<net>> fit{
        net::nodes, network, source, {.update = sq::adam{}, .rate = sq::constant_rate{0.01}, .average_decay = 0.9}};
};
const sq::io::safetensors_metadata settings{{"network", "net"}};

} // namespace

void fuzz::read(const bytes& input) {
    training continued;
    continued.fit.resume(sq::io::parse_safetensors(input, "input"), settings);
    (void)fuzz::seed_file([&](const auto& path) { continued.fit.save(path, settings); });
}

std::vector<fuzz::bytes> fuzz::seeds() {
    training some;
    std::vector<bytes> made;
    for (int step = 0; step < 6; ++step) {
        made.push_back(seed_file([&](const auto& path) { some.fit.save(path, settings); }));
        (void)some.fit.step();
    }
    return made;
}
