// SPDX-License-Identifier: Apache-2.0
//
// The tutorial's program: docs/tutorial.md explains it part by part.
#include <statiq/statiq.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <vector>

namespace sq = statiq;

// A block is an ordinary function that returns a part of a graph.
template <sq::label Depthwise, sq::label Pointwise, int OutChannels, int Stride>
constexpr auto separable() {
    return sq::named<Depthwise>(sq::depthwise(sq::stride<Stride>) | sq::batch_norm | sq::relu6) |
           sq::named<Pointwise>(sq::pointwise<OutChannels> | sq::batch_norm | sq::relu6);
}

// clang-format off
constexpr auto body = sq::input<8, 8, 1>
    | sq::named<"conv0">(sq::conv<8>(sq::kernel<3>) | sq::batch_norm | sq::relu6)
    | separable<"dw1", "pw1", 16, 1>()
    | separable<"dw2", "pw2", 32, 2>()
    | separable<"dw3", "pw3", 32, 1>()
    | sq::global_average_pool
    | sq::named<"fc">(sq::dense<10>);
// clang-format on
struct digits final : sq::network<decltype(body)> {};

static_assert(digits::nodes.back().out == sq::extents{1, 1, 10});
static_assert(sq::parameter_count<digits> == 2'858);
static_assert(sq::multiply_accumulates<digits> == 49'216);

// A body may be a function with a name: that is how headers define networks.
struct linear_body {
    constexpr auto operator()() const { return sq::input<8, 8, 1> | sq::flatten | sq::named<"fc">(sq::dense<10>); }
};
struct linear_digits final : sq::network<linear_body> {};
static_assert(sq::parameter_count<linear_digits> == 650);

using weight = sq::quantized<8, sq::symmetric, sq::per_channel>;
using activation = sq::quantized<8, sq::asymmetric, sq::per_tensor>;
static_assert(sq::arena_bytes<digits, activation> == 1'536);

// Four-bit weights in all layers but the first and the last: with<> in the definition, or another default.
using narrow_weight = sq::quantized<4, sq::symmetric, sq::per_channel>;
// clang-format off
constexpr auto mixed_body = sq::input<8, 8, 1>
    | sq::with<weight>(sq::named<"conv0">(sq::conv<8>(sq::kernel<3>) | sq::batch_norm | sq::relu6))
    | separable<"dw1", "pw1", 16, 1>()
    | separable<"dw2", "pw2", 32, 2>()
    | separable<"dw3", "pw3", 32, 1>()
    | sq::global_average_pool
    | sq::with<weight>(sq::named<"fc">(sq::dense<10>));
// clang-format on
struct mixed_digits final : sq::network<decltype(mixed_body)> {};

int main() {
    const std::filesystem::path data = STATIQ_EXAMPLE_DATA_DIR;
    std::fputs(sq::summary<digits>().c_str(), stdout);

    const auto trained = sq::load<digits>(data / "digits.safetensors");
    const auto deployed = sq::deploy(trained);
    std::fputs(sq::summary<sq::deployed<digits>>().c_str(), stdout);

    const sq::io::preprocessing pixels{.scale = {1.0F / 8.0F}, .offset = {-1.0F}};
    const sq::io::image_set calibration(sq::io::read_npy(data / "digits_calibration_images.npy"), {8, 8, 1}, pixels);
    const auto ranges = sq::calibrate(deployed, calibration, sq::moving_average{0.95F}, 10);

    auto model = sq::quantize<weight, activation>(deployed, ranges);

    const sq::io::image_set images(sq::io::read_npy(data / "digits_test_images.npy"), {8, 8, 1}, pixels);
    const auto labels = sq::io::read_labels(data / "digits_test_labels.npy", images.size());
    std::size_t right = 0;
    for (std::size_t i = 0; i < images.size(); ++i) {
        const auto scores = model(images[i]);
        if (std::max_element(scores.begin(), scores.end()) - scores.begin() == labels[i]) ++right;
    }
    std::printf("integer network: %zu of %zu right\n", right, images.size());

    // A model that takes the bytes of an image: x = (byte - 8) / 8 is in its first layer.
    using pixel = sq::byte_image<sq::channel_means<8.0>, sq::channel_deviations<8.0>>;
    auto camera_model = sq::quantize<weight, activation, pixel>(deployed, ranges);
    const auto camera_scores = camera_model(images.pixels(0));
    std::printf("score of a 0 in the first image, from its bytes: %g\n", static_cast<double>(camera_scores[0]));

    sq::float_network reference(deployed);
    sq::observed watched(model);
    sq::print(sq::compare(reference, watched, images));

    const auto mixed_deployed = sq::deploy(sq::load<mixed_digits>(data / "digits.safetensors"));
    const auto mixed_ranges = sq::calibrate(mixed_deployed, calibration);
    const auto mixed = sq::quantize<narrow_weight, activation>(mixed_deployed, mixed_ranges);
    sq::float_network mixed_reference(mixed_deployed);
    sq::observed watched_mixed(mixed);
    sq::print(sq::compare(mixed_reference, watched_mixed, images));

    // In a program of its own: no heap, no exceptions, parameters read where they lie.
    using quantized_digits = sq::numbers_chosen<sq::deployed<digits>, weight, activation>;
    const auto parameters = sq::parameters_from_bytes<quantized_digits>(model.bytes());
    if (!parameters) {
        std::fprintf(stderr, "not these bytes: %s\n", sq::to_string(parameters.refusal().defect));
        return 1;
    }
    using network_type = sq::integer_network<quantized_digits>;
    alignas(sq::arena_alignment) static std::array<std::uint8_t, network_type::arena_size> arena;
    network_type network(*parameters, arena);
    const std::array<std::uint8_t, 64> blank{};
    const std::span<const std::uint8_t> integers = network(blank);
    std::printf("scores of a blank image, as integers:");
    for (const int score : integers) std::printf(" %d", score);
    std::printf("\n");
}
