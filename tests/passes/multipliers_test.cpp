// SPDX-License-Identifier: Apache-2.0
// Which real multiplier of stored integers is bounded, operation by operation.
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/check_integers.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/quantize_parameters.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <optional>

using namespace statiq;

namespace {

template <class Body>
struct of final : network<Body> {};
template <class Net>
using bytes = numbers_chosen<deployed<Net>, quantized<8, symmetric>, quantized<8, asymmetric>>;

/// The fault of a network with these scales, the last node's last.
template <class Q, class... Scales>
std::optional<integer_fault> fault_of(Scales... scales) {
    static_assert(sizeof...(Scales) == node_count<Q>);
    quantized_parameters<Q> integers;
    std::size_t at = 0;
    ((integers[at++].output.scale = scales), ...);
    return find_multiplier_fault(Q::nodes, integers.layers);
}

} // namespace

TEST_CASE("a product's multiplier is s_a s_b / s_y") {
    using q = bytes<of<decltype(input<1, 1, 2> | multiply(named<"a">(statiq::tanh), named<"b">(statiq::tanh)))>>;
    // input, a, b, product. 2^20 * 2^-20 / 2^-12 = 2^12, though 2^20 / 2^-12 is 2^32.
    CHECK_FALSE(fault_of<q>(1.0F, 0x1p20F, 0x1p-20F, 0x1p-12F));
    // 2^10 * 2^10 / 2^-10 = 2^30, though 2^10 / 2^-10 is 2^20.
    const auto found = fault_of<q>(1.0F, 0x1p10F, 0x1p10F, 0x1p-10F);
    REQUIRE(found);
    CHECK(found->node == 3);
    CHECK(found->what == integer_fault::kind::multiplier);
    CHECK(found->part == integer_part::scale);
    CHECK(found->real == 0x1p-10F);
    // The float below 2^10: 2^30 (1 - 2^-24).
    CHECK_FALSE(fault_of<q>(1.0F, 0x1.fffffep9F, 0x1p10F, 0x1p-10F));
}

TEST_CASE("a table has no multiplier: its scales go into the entries") {
    using q = bytes<of<decltype(input<1, 1, 2> | sigmoid)>>;
    CHECK_FALSE(fault_of<q>(0x1p20F, 0x1p-20F));
}

TEST_CASE("an operation that says nothing of its multiplier has s_x / s_y, of the largest input") {
    using mean = bytes<of<decltype(input<2, 2, 2> | global_average_pool)>>;
    CHECK(fault_of<mean>(0x1p10F, 0x1p-20F)); // 2^30
    CHECK_FALSE(fault_of<mean>(0x1.fffffep9F, 0x1p-20F));
    using sum = bytes<of<decltype(input<1, 1, 2> | add(named<"a">(statiq::tanh), named<"b">(statiq::tanh)))>>;
    CHECK(fault_of<sum>(1.0F, 1.0F, 0x1p10F, 0x1p-20F));
    CHECK(fault_of<sum>(1.0F, 0x1p10F, 1.0F, 0x1p-20F));
    CHECK_FALSE(fault_of<sum>(1.0F, 1.0F, 1.0F, 0x1p-20F));
}
