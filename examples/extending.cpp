// SPDX-License-Identifier: Apache-2.0
// Operations of one's own: a function of each value, and a join of two tensors with parameters, in float and in
// integers. docs/extending.md explains what the members say.
#include <statiq/statiq.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string_view>
#include <vector>

namespace sq = statiq;

namespace {

/// A smooth rectifier: (x + sqrt(x^2 + 4)) / 2.
struct squareplus {
    static constexpr std::string_view word = "squareplus";
    float operator()(float x) const { return 0.5F * (x + std::sqrt(x * x + 4.0F)); }
};

/// The larger of two tensors, each scaled by a factor of its channel.
struct contest {
    static constexpr std::string_view word = "contest";
    static constexpr sq::operation_traits traits{.joins = true, .rounds = true, .channels = sq::channel_flow::summed};
    static constexpr std::size_t factors(const sq::node& n) { return 2 * static_cast<std::size_t>(n.out.channels); }
    static constexpr std::array<sq::parameter_tensor, 1> tensors{
        {{"factors", &sq::layer_parameters::weight, factors, 1.0F}}};

    static constexpr void shape(sq::shape_context& c) { c.require_equal_pixels(); }
    static constexpr sq::interval sums(const sq::node&, const sq::number_format& input) {
        return hull(centred(input), sq::interval{}).times(most) +
               sq::interval{0, 1 << 13}; // a product, and half of 2^14
    }

    template <class Call>
    static void reals(const Call& c) noexcept {
        for (std::size_t i = 0; i < c.n.out.size(); ++i) {
            const float* factor = c.parameters.weights + 2 * (i % (factors(c.n) / 2));
            c.output[i] = std::max(factor[0] * c.input(0)[i], factor[1] * c.input(1)[i]);
        }
    }
    /// In integers factors are whole parts of 2^14, made of the scales and of the parameters.
    static constexpr std::size_t table_size(const sq::node& n, const sq::number_format&) { return factors(n); }
    template <class Call>
    static void fill_table(const Call& c) {
        for (std::size_t i = 0; i < factors(c.n); ++i) {
            const float ratio = c.map(i % 2).scale / c.output_map.scale;
            c.table[i] = std::clamp(std::nearbyint(c.reals->weight[i] * ratio * 16384), -float{most}, float{most});
        }
    }
    template <class Call>
    static void integers(const Call& c) noexcept {
        for (std::size_t i = 0; i < c.n.out.size(); ++i) {
            const float* factor = c.table + 2 * (i % (factors(c.n) / 2));
            const auto scaled = [&](std::size_t k) {
                return (static_cast<std::int32_t>(factor[k]) * (c.input(k)[i] - c.zero_point(k)) + (1 << 13)) >> 14;
            };
            const std::int32_t y = std::max(scaled(0), scaled(1)) + c.constants.output.zero_point;
            c.output[i] = static_cast<typename Call::out>(std::clamp(y, c.constants.lowest, c.constants.highest));
        }
    }

  private:
    static constexpr std::int32_t most = 1 << 20;
};

constexpr auto body = sq::input<8, 8, 3> | sq::named<"stem">(sq::conv<8>(sq::kernel<3>)) | sq::elementwise<squareplus> |
                      sq::named<"block">(sq::join<contest>(sq::depthwise, sq::pointwise<8> | sq::hard_swish)) |
                      sq::global_average_pool | sq::named<"fc">(sq::dense<4>);
struct network final : sq::network<decltype(body)> {};

} // namespace

int main() {
    std::mt19937 random(7);
    const auto fill = [&random](std::vector<float>& values, float most) {
        for (float& x : values) x = std::uniform_real_distribution<float>(-most, most)(random);
    };
    auto trained = sq::zero_parameters<network>();
    for (auto& layer : trained.layers) fill(layer.weight, 0.5F);
    std::vector<std::vector<float>> images(50, std::vector<float>(8 * 8 * 3));
    for (auto& image : images) fill(image, 1.0F);

    const auto deployed = sq::deploy(trained);
    const auto ranges = sq::calibrate(deployed, images);
    auto model = sq::quantize<sq::quantized<8, sq::symmetric, sq::per_channel>, sq::quantized<8, sq::asymmetric>>(
        deployed, ranges);
    sq::float_network reals(deployed);
    double error = 0, power = 0;
    for (const auto& image : images) {
        const auto expected = reals(image);
        const auto output = model(image);
        for (std::size_t i = 0; i < 4; ++i) {
            error += std::pow(static_cast<double>(output[i]) - static_cast<double>(expected[i]), 2);
            power += std::pow(static_cast<double>(expected[i]), 2);
        }
    }
    std::puts(sq::summary<network>().c_str());
    std::printf("integers against floats: %.1f dB\n", 10 * std::log10(power / error));
    return 0;
}
