// SPDX-License-Identifier: Apache-2.0
#include <statiq/graph/network.hpp>
#include <statiq/io/parameters.hpp>
#include <statiq/io/safetensors.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/train/training_network.hpp>

#include <doctest/doctest.h>

#include "../support/real_training.hpp"
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

using namespace statiq;

namespace {

constexpr std::size_t batch = 4;
constexpr auto norm = batch_norm(epsilon<1e-5>);

struct separable final
    : network<decltype(input<12, 12, 3> |
                       named<"conv0">(conv<8>(kernel<3>, stride<2>, padding<1>, without_bias) | norm | relu6) |
                       named<"dw1">(depthwise(padding<1>, without_bias) | norm | relu6) |
                       named<"pw1">(pointwise<12>(without_bias) | norm | relu6) |
                       named<"dw2">(depthwise(stride<2>, padding<1>, without_bias) | norm | relu6) |
                       named<"pw2">(pointwise<16>(without_bias) | norm | relu6) | global_average_pool |
                       named<"fc">(dense<5>))> {};

struct branches final
    : network<decltype(input<8, 8, 4> |
                       add(named<"square">(conv<4>(kernel<3>, padding<1>, without_bias) | norm),
                           named<"point">(pointwise<4>(without_bias) | norm), named<"same">(norm)) |
                       relu |
                       concat(named<"grouped">(conv<6>(kernel<3>, padding<2>, dilation<2>, groups<2>, with_bias)) |
                                  relu,
                              max_pool(kernel<3>, stride<1>, padding<1>)) |
                       named<"strided">(conv<8>(kernel<3>, stride<2>, padding<1>, with_bias) | norm | relu6) |
                       average_pool(kernel<2>, stride<2>) | flatten | named<"hidden">(dense<9> | norm | relu) |
                       named<"fc">(dense<4>) | softmax)> {};

/// A tensor of a node, in statiq's order.
template <class G, class T>
std::vector<T> read(const io::safetensors& file, const std::string& prefix, const node& n, const char* kind) {
    const auto values = file.at(prefix + "." + std::string(n.name.view()) + "." + kind).template values<T>();
    std::vector<T> natural(values.begin(), values.end());
    const auto order = io::detail::natural_positions("", n, kind, io::detail::channel_orders(G::nodes));
    for (std::size_t k = 0; k < order.size(); ++k) natural[order[k]] = values[k];
    return natural;
}

std::vector<std::vector<float>> rows_of(const std::vector<float>& all) {
    const auto size = static_cast<std::ptrdiff_t>(all.size() / batch);
    std::vector<std::vector<float>> rows;
    for (std::ptrdiff_t s = 0; s < static_cast<std::ptrdiff_t>(batch); ++s)
        rows.emplace_back(all.begin() + s * size, all.begin() + (s + 1) * size);
    return rows;
}

/// PyTorch computes in double: what the float network may miss is what running error analysis says, and a few roundings
/// of PyTorch's own.
void check_close(const std::vector<float>& found, const std::vector<double>& expected,
                 const std::vector<support::bounded>& bounds) {
    REQUIRE(found.size() == expected.size());
    REQUIRE(bounds.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i)
        CHECK(std::abs(static_cast<double>(found[i]) - expected[i]) <= bounds[i].error + 0x1p-40);
}

template <class G>
void check(const std::string& name) {
    const io::safetensors file =
        io::read_safetensors(std::filesystem::path(STATIQ_SOURCE_DIR) / "tests/train/networks.safetensors");
    parameters<G> given;
    for (std::size_t i = 0; i < node_count<G>; ++i)
        detail::for_each_tensor(G::nodes[i], given[i],
                                [&](const char* kind, std::vector<float>& to, std::size_t count) {
                                    to = read<G, float>(file, name, G::nodes[i], kind);
                                    REQUIRE(to.size() == count);
                                });
    const auto floats = [&](const std::string& tensor) {
        const auto values = file.at(name + "." + tensor).template values<float>();
        return std::vector<float>(values.begin(), values.end());
    };
    const std::vector<float> samples = floats("input");
    const std::vector<float> factors = floats("factors");
    sequential here;
    training_network<G> network(given, batch, here, {.momentum = 0.9F});
    for (const std::string mode : {"moving", "batch"}) {
        CAPTURE(mode);
        const std::string prefix = mode + "." + name;
        network.use(mode == "batch" ? statistics::batch : statistics::moving);
        support::real_training real(G::nodes, given.layers, rows_of(samples), mode == "batch");
        real.differentiate(rows_of(factors));
        const auto result = network.forward(samples);
        const auto outputs = file.at(prefix + ".output").template values<double>();
        std::vector<support::bounded> bounds;
        for (const auto& row : real.values.back()) bounds.insert(bounds.end(), row.begin(), row.end());
        check_close({result.begin(), result.end()}, {outputs.begin(), outputs.end()}, bounds);
        network.backward(factors);
        for (std::size_t i = 0; i < node_count<G>; ++i) {
            const node& n = G::nodes[i];
            CAPTURE(n.name.view());
            const auto& gradient = network.gradients()[i];
            const auto& bound = real.parameter_gradients[i];
            const auto compare = [&](const char* kind, const std::vector<float>& found, const auto& bounded) {
                CAPTURE(kind);
                if (!found.empty()) check_close(found, read<G, double>(file, prefix, n, kind), bounded);
            };
            compare("weight", gradient.weight, bound.weight);
            compare("bias", gradient.bias, bound.bias);
            compare("gamma", gradient.gamma, bound.gamma);
            compare("beta", gradient.beta, bound.beta);
            if (!n.is<operations::batch_norm>()) continue;
            // A tenth of the batch's statistics, whose error is that of the values they are of.
            double error = 0;
            for (const auto& row : real.values[static_cast<std::size_t>(n.input())])
                for (const support::bounded& x : row) error = std::max(error, x.error * (1 + 4 * x.largest()));
            const std::vector<support::bounded> allowed(network.values()[i].mean.size(), {0, error + 0x1p-22});
            compare("mean", network.values()[i].mean, allowed);
            compare("var", network.values()[i].variance, allowed);
        }
    }
}

} // namespace

TEST_CASE("outputs, gradients and moving statistics are PyTorch's") {
    SUBCASE("of a small MobileNetV1") { check<separable>("separable"); }
    SUBCASE("of sums, concatenations, groups, dilation, pools and a flat norm") { check<branches>("branches"); }
}
