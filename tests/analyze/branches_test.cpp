// SPDX-License-Identifier: Apache-2.0
#include <statiq/analyze/branches.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include "../support/random_parameters.hpp"
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <string>

using namespace statiq;

namespace {

constexpr auto branches =
    add(named<"three">(conv<6>(kernel<3>) | batch_norm), named<"one">(conv<6> | batch_norm), named<"zero">(batch_norm));
struct block final
    : network<decltype(input<8, 8, 6> | relu | named<"b">(branches | batch_norm) | relu | named<"c">(conv<4>))> {};

std::size_t at(const char* name) { return static_cast<std::size_t>(find_node<block>(name)); }

} // namespace

TEST_CASE("each branch's factors are gamma / sqrt(epsilon + variance)") {
    std::mt19937 random(91);
    auto trained = support::random_parameters<block>(random, support::dead_channels::none);
    trained[at("b.zero.bn")].variance[2] = 0; // a dead channel behind a ReLU
    trained[at("b.zero.bn")].gamma[2] = -2;
    const auto lines = branch_scales(trained);
    REQUIRE(lines.size() == 4); // three branches, and the batch norm after the sum
    const std::string norms[] = {"b.three.bn", "b.one.bn", "b.zero.bn", "b.bn"};
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(lines[i].layer == "b");
        CHECK(lines[i].norm == norms[i]);
        const layer_parameters& norm = trained[at(norms[i].c_str())];
        for (std::size_t c = 0; c < 6; ++c)
            CHECK(lines[i].factors[c] == doctest::Approx(static_cast<double>(norm.gamma[c]) /
                                                         std::sqrt(1e-3 + static_cast<double>(norm.variance[c]))));
    }
    CHECK(lines[2].largest() == doctest::Approx(2 / std::sqrt(1e-3)));
    CHECK(lines[2].mean() < lines[2].largest());
    CHECK(report(lines).find("b.zero.bn") != std::string::npos);
}

TEST_CASE("merged weights are rounded as the quantizer rounds them") {
    std::mt19937 random(92);
    const auto check = [&]<class Weight>(Weight) {
        const auto trained = support::random_parameters<block>(random, support::dead_channels::none);
        const auto lines = compare_branch_rounding<Weight>(trained);
        REQUIRE(lines.size() == 1);
        const auto parameters = merge_branches(trained);
        const node& n = branches_merged<block>::nodes[2];
        REQUIRE(n.name == label("b"));
        const auto quantizers = detail::choose_weight_quantizers(
            detail::weight_ranges(parameters[2].weight, n.convolution()), std::vector<double>(6), Weight::format);
        signal_to_noise expected;
        for (std::size_t w = 0; w < parameters[2].weight.size(); ++w) {
            const auto& quantizer = quantizers[w / 54];
            expected.add(parameters[2].weight[w], dequantize(quantizer(parameters[2].weight[w]), quantizer.map()));
        }
        CHECK(lines[0].merged.count == 6 * 54);
        CHECK(lines[0].merged.sqnr() == doctest::Approx(expected.sqnr()).epsilon(1e-6));
    };
    check(quantized<8>{});
    check(quantized<8, asymmetric>{});
    check(quantized<4, symmetric, per_channel>{});
}

TEST_CASE("an identity beside exact weights costs nothing apart, and a rounding merged") {
    // Weights of -1, 0 and 1 have no error at 8 bits; with 0.3 on the diagonal they have.
    auto trained = zero_parameters<block>();
    for (const char* name : {"b.three.bn", "b.one.bn", "b.zero.bn", "b.bn"}) {
        trained[at(name)].variance.assign(6, 1.0F - 1e-3F);
        trained[at(name)].gamma.assign(6, 1.0F);
    }
    trained[at("b.zero.bn")].gamma.assign(6, 0.3F);
    for (std::size_t w = 0; w < 6 * 54; ++w) trained[at("b.three")].weight[w] = static_cast<float>(w % 3) - 1.0F;
    const auto lines = compare_branch_rounding<quantized<8>>(trained);
    CHECK(lines[0].separate.sqnr() > 130); // the roundings of double and float: 2^-24 is 144 dB
    CHECK(lines[0].merged.sqnr() < 60);
    CHECK(lines[0].merged.sqnr() > 30);
}
