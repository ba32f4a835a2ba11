// SPDX-License-Identifier: Apache-2.0
//
// The README's example, on weights and images that stand in for yours.
#include <statiq/statiq.hpp>
namespace sq = statiq;

#include <cstdio>
#include <filesystem>
#include <random>
#include <vector>

// What the network is. Only output channels are written; shapes are inferred, and checked here.
constexpr auto body = sq::input<32, 32, 3>
    | sq::named<"stem">(sq::conv<16>(sq::kernel<3>, sq::stride<2>) | sq::batch_norm | sq::relu6)
    | sq::residual(sq::depthwise | sq::batch_norm | sq::relu6 | sq::pointwise<16> | sq::batch_norm)
    // | sq::residual(sq::pointwise<24>)      refused: channel_mismatch<layer_name<'a','d','d','_','2'>, 24, 16>
    | sq::global_average_pool | sq::named<"head">(sq::dense<10>);
struct classifier final : sq::network<decltype(body)> {};

// What its numbers are.
using weight = sq::quantized<8, sq::symmetric, sq::per_channel>;
using activation = sq::quantized<8, sq::asymmetric, sq::per_tensor>;

static_assert(sq::arena_bytes<classifier, activation> <= 16 * 1024); // facts, not measurements
static_assert(sq::multiply_accumulates<classifier> < 300'000);

namespace {

std::vector<float> noise(std::size_t count, std::mt19937& random) {
    std::normal_distribution<float> normal(0.0F, 0.3F);
    std::vector<float> values(count);
    for (float& value : values) value = normal(random);
    return values;
}

void write_stand_in_weights(const std::filesystem::path& path, std::mt19937& random) {
    auto parameters = sq::zero_parameters<classifier>();
    for (auto& layer : parameters.layers) layer.weight = noise(layer.weight.size(), random);
    sq::save(path, parameters);
}

} // namespace

int main() {
    std::mt19937 random(1);
    const auto folder = std::filesystem::temp_directory_path() / "statiq-readme-example";
    std::filesystem::create_directories(folder);
    std::filesystem::current_path(folder);
    write_stand_in_weights("classifier.safetensors", random);
    std::vector<std::vector<float>> images;
    for (int i = 0; i < 8; ++i) images.push_back(noise(32 * 32 * 3, random));
    const std::vector<float>& image = images.front();

    auto trained  = sq::load<classifier>("classifier.safetensors");
    auto deployed = sq::deploy(trained);                       // branches merged, batch norm folded, activations fused
    auto ranges   = sq::calibrate(deployed, images, sq::moving_average{0.95F});
    auto model    = sq::quantize<weight, activation>(deployed, ranges);
    auto scores   = model(image);                              // integers inside; no heap, no exceptions

    for (const float score : scores) std::printf("%.3f ", static_cast<double>(score));
    std::printf("\n");
    std::filesystem::current_path(folder.parent_path());
    std::filesystem::remove_all(folder);
}
