// SPDX-License-Identifier: Apache-2.0
//
// Branches while training, one convolution when deployed: the code of docs/reparameterization.md.
#include <statiq/networks/repvgg.hpp>
#include <statiq/statiq.hpp>

#include <cstdio>
#include <random>
#include <vector>

namespace sq = statiq;

constexpr auto branches = sq::add(sq::named<"dense3x3">(sq::conv<8>(sq::kernel<3>) | sq::batch_norm),
                                  sq::named<"conv1x1">(sq::pointwise<8> | sq::batch_norm),
                                  sq::named<"identity">(sq::batch_norm));
constexpr auto body = sq::input<16, 16, 8> | sq::named<"block">(branches | sq::relu)
    | sq::global_average_pool | sq::named<"fc">(sq::dense<10>);
struct classifier final : sq::network<decltype(body)> {};

static_assert(sq::require_merged<classifier>);
static_assert(sq::node_count<sq::deployed<classifier>> == 4); // input, block, mean, fc

// A detector's neck in small: two levels, the coarser one enlarged beside the finer, both read by somebody.
constexpr auto pyramid = sq::input<32, 32, 3>
    | sq::named<"fine">(sq::conv<8>(sq::kernel<3>, sq::stride<2>) | sq::relu)
    | sq::named<"coarse">(sq::conv<16>(sq::kernel<3>, sq::stride<2>) | sq::relu)
    | sq::named<"joined">(sq::concat(sq::upsample<2>, sq::from<"fine">) | sq::pointwise<8> | sq::relu)
    | sq::outputs<"coarse", "joined">;
struct features final : sq::network<decltype(pyramid)> {};

int main() {
    // Parameters as training leaves them; here, anything.
    std::mt19937 random(1);
    const auto anything = [&random](auto& trained) {
        for (sq::layer_parameters& layer : trained.layers)
            for (auto* values : {&layer.weight, &layer.beta, &layer.mean})
                for (float& value : *values) value = std::uniform_real_distribution<float>(-0.1F, 0.1F)(random);
    };
    auto trained = sq::zero_parameters<classifier>();
    anything(trained);

    const auto deployed = sq::deploy(trained);
    std::printf("%s", sq::summary<sq::deployed<classifier>>().c_str());
    std::printf("%s", sq::report(sq::branch_scales(trained)).c_str());
    using weight4 = sq::quantized<4>;
    std::printf("%s", sq::report(sq::compare_branch_rounding<weight4>(trained)).c_str());

    auto levels = sq::zero_parameters<features>();
    anything(levels);
    sq::float_network network(sq::deploy(levels));
    network(std::vector<float>(32 * 32 * 3, 0.5F));
    const auto coarse = network.output<"coarse">(); // 8 x 8 x 16
    const auto joined = network.output<"joined">(); // 16 x 16 x 8
    std::printf("%zu and %zu features\n", coarse.size(), joined.size());
    return deployed[1].weight.size() == 8 * 9 * 8 && coarse.size() == 1024 && joined.size() == 2048 ? 0 : 1;
}
