// SPDX-License-Identifier: Apache-2.0
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/plan/facts.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

using namespace statiq;

namespace {

using weight = quantized<8, symmetric, per_channel>;
using byte = quantized<8, asymmetric>;
using signed_byte = quantized<8, asymmetric_signed>;
using wide = quantized<16, asymmetric>;

constexpr bool converts(const node& n) { return n.is<operations::convert>(); }

template <class Body, class Weight = weight, class Activation = byte>
using chosen = numbers_chosen<deployed<network<Body>>, Weight, Activation>;

template <graph_type Q>
constexpr int conversions = [] {
    int count = 0;
    for (const node& n : Q::nodes) count += converts(n) ? 1 : 0;
    return count;
}();

// ---- mixed precision: with<> ------------------------------------------------------------------------------------

using four = quantized<4, symmetric, per_channel>;
constexpr auto narrow_head = input<4, 4, 3> | conv<4> | relu | flatten | with<four>(dense<5>);
using narrow = chosen<decltype(narrow_head)>;
static_assert(conversions<narrow> == 0);
static_assert(narrow::nodes[1].numbers.weight == weight::format && narrow::nodes[1].numbers.activation == byte::format);
static_assert(narrow::nodes[3].numbers.weight == four::format && narrow::nodes[3].numbers.activation == byte::format);

// Integer layers of other widths follow each other without a conversion: a linear layer rescales anyway.
constexpr auto wide_middle = input<4, 4, 3> | conv<4> | with<weight, wide>(conv<4>) | max_pool | conv<4>;
using widened = chosen<decltype(wide_middle)>;
static_assert(conversions<widened> == 0);
static_assert(widened::nodes[2].numbers.activation == wide::format);
static_assert(widened::nodes[3].numbers.activation == wide::format, "a pool keeps its input's integers");
static_assert(widened::nodes[4].numbers.activation == byte::format);

// ---- one layer's numbers by its name ----------------------------------------------------------------------------

constexpr auto named_body =
    input<4, 4, 3> | named<"a">(conv<4>) | relu | with<weight>(named<"b">(conv<4>)) | flatten | named<"c">(dense<5>);
using named_net = deployed<network<decltype(named_body)>>;
using overridden = numbers_chosen<named_net, weight, byte, weight, for_layer<"a", four, wide>, for_layer<"b", four>>;
static_assert(overridden::nodes[1].numbers.weight == four::format, "the first layer's own weights");
static_assert(overridden::nodes[1].numbers.activation == wide::format);
static_assert(overridden::nodes[2].numbers.weight == four::format, "an override goes before with<>");
static_assert(overridden::nodes[2].numbers.activation == byte::format, "what it does not name stays");
static_assert(overridden::nodes[4].numbers.weight == weight::format && overridden::nodes[4].name.view() == "c");
static_assert(std::is_same_v<overridden::source, named_net>);

// A float island: one conversion into it, one out of it, where the domain changes and nowhere else.
constexpr auto island_body = input<4, 4, 3> | named<"a">(conv<4>) | relu |
                             with<float32>(named<"b">(conv<4>) | relu | max_pool) | flatten | named<"c">(dense<3>);
using island = chosen<decltype(island_body)>;
static_assert(conversions<island> == 2);
constexpr auto& island_nodes = island::nodes;
static_assert(converts(island_nodes[2]) && island_nodes[2].numbers.activation.floating);
static_assert(island_nodes[2].name.view() == "a.dequantized" && island_nodes[2].input() == 1);
static_assert(island_nodes[3].is<operations::convolution>() && island_nodes[3].numbers.activation.floating);
static_assert(island_nodes[4].numbers.activation.floating && island_nodes[5].numbers.activation.floating);
static_assert(converts(island_nodes[6]) && island_nodes[6].numbers.activation == byte::format);
static_assert(island_nodes[7].is<operations::dense>() && island_nodes[7].input() == 6);
// A conversion holds its source's value: the range of that is what it is quantized with.
static_assert(island::origin[2] == island::origin[1] && island::origin[6] == island::origin[5]);

// An input in float: the first integer layer's conversion quantizes it.
constexpr auto float_input = with<float32>(input<4, 4, 3>) | conv<4>;
using late = chosen<decltype(float_input)>;
static_assert(late::nodes[0].numbers.activation.floating && converts(late::nodes[1]));
static_assert(late::nodes[1].numbers.activation == byte::format);

// Two readers share one conversion.
constexpr auto shared_body = input<4, 4, 3> | conv<4> | with<float32>(add(conv<4>, conv<4>(kernel<3>))) | conv<2>;
using shared = chosen<decltype(shared_body)>;
static_assert(conversions<shared> == 2);

// What is joined is of one storage; a reader of another width is not.
constexpr auto join_body = input<4, 4, 3> | conv<4> | add(with<weight, wide>(conv<4>), identity) | conv<2>;
using joined = chosen<decltype(join_body)>;
static_assert(conversions<joined> == 1);
static_assert(converts(joined::nodes[3]) && joined::nodes[3].input() == 2);
static_assert(joined::nodes[3].numbers.activation == byte::format && joined::nodes[4].is<operations::add>());
using signs = chosen<decltype(input<4, 4, 3> | concat(with<weight, signed_byte>(conv<4>), conv<2>))>;
static_assert(conversions<signs> == 1);

// ---- refusals ---------------------------------------------------------------------------------------------------

template <class Body, class Weight, class Activation>
using verdict =
    decltype(detail::numbers_verdict<rewritten<
                 detail::choose_numbers_pass<Weight::format, Activation::format, Weight::format>, network<Body>>>());
template <int Inputs>
using sum_of = decltype(input<1, 1, Inputs> | dense<1>);
using dense_name = layer_name<'d', 'e', 'n', 's', 'e'>;

// 16 bit activations with any zero point span +-65535, symmetric 8 bit weights +-127.
static_assert(65535LL * 127 * 258 < (1LL << 31) && 65535LL * 127 * 259 > (1LL << 31));
static_assert(std::is_same_v<verdict<sum_of<258>, quantized<8>, wide>, sound>);
static_assert(std::is_same_v<verdict<sum_of<259>, quantized<8>, wide>, accumulator_overflow<dense_name, 33, 32>>);
// 8 bits: no layer of ordinary size comes near.
static_assert(64LL * 1024 * 255 * 127 < (1LL << 31));
static_assert(std::is_same_v<verdict<sum_of<64 * 1024>, quantized<8>, byte>, sound>);
static_assert(std::is_same_v<verdict<sum_of<8>, quantized<4, symmetric, per_group<4>>, byte>,
                             no_weight_groups_in_integers<dense_name, 4>>);
static_assert(std::is_same_v<verdict<sum_of<8>, weight, quantized<8, asymmetric, per_channel>>,
                             one_scale_per_activation<layer_name<'i', 'n', 'p', 'u', 't'>>>);
static_assert(!verdict<sum_of<8>, float32, byte>::accepted, "float weights under integer sums");
static_assert(verdict<sum_of<8>, weight, float32>::accepted, "integer weights under float sums");
static_assert(verdict<sum_of<8>, float32, float32>::accepted);
static_assert(!verdict<decltype(input<1, 1, 4> | softmax), weight, wide>::accepted);
static_assert(verdict<decltype(input<1, 1, 4> | softmax), weight, signed_byte>::accepted);
// A mean sums every pixel: 2^15 of 16 bits fit, 2^16 do not.
static_assert(verdict<decltype(input<128, 256, 1> | global_average_pool), weight, wide>::accepted);
static_assert(!verdict<decltype(input<256, 256, 1> | global_average_pool), weight, wide>::accepted);
// Integers know no batch norm: it is to be folded first.
static_assert(!verdict<decltype(input<2, 2, 4> | batch_norm), weight, byte>::accepted);

} // namespace

TEST_CASE("one number type throughout: every node has it, and there is nothing to convert") {
    support::for_each_random_network([]<class Net>() {
        const auto check = []<class Weight, class Activation>(Weight, Activation) {
            using Q = numbers_chosen<deployed<Net>, Weight, Activation>;
            REQUIRE(node_count<Q> == node_count<deployed<Net>>);
            CHECK(arena_bytes<Net, Activation> == memory_plan_of<Q>.arena_bytes);
            for (std::size_t i = 0; i < node_count<Q>; ++i) {
                node n = Q::nodes[i];
                CHECK(n.numbers.activation == Activation::format);
                CHECK(n.numbers.weight == Weight::format);
                CHECK(Q::origin[i] == static_cast<int>(i));
                n.numbers = deployed<Net>::nodes[i].numbers;
                CHECK(n == deployed<Net>::nodes[i]);
            }
        };
        check(weight{}, byte{});
        check(float32{}, float32{});
    });
}

namespace {

/// Whether conversions stand exactly where they must: on edges between float and integers, and where a join would read
/// other storage than its own; one for each tensor and format.
template <graph_type Q>
void check_conversions() {
    std::set<std::pair<int, std::string>> seen;
    for (std::size_t i = 1; i < node_count<Q>; ++i) {
        const node& n = Q::nodes[i];
        const number_format& own = n.numbers.activation;
        for (int k = 0; k < n.input_count; ++k) {
            const int from = n.inputs[static_cast<std::size_t>(k)];
            const node& before = Q::nodes[static_cast<std::size_t>(from)];
            const number_format& given = before.numbers.activation;
            const bool alike =
                given.floating == own.floating && given.bytes() == own.bytes() && given.is_signed() == own.is_signed();
            if (converts(n) && converts(Q::source::nodes[static_cast<std::size_t>(Q::origin[i])])) {
                CHECK(given.floating == own.floating); // the user's own
            } else if (converts(n)) {
                CHECK_FALSE(alike);
                CHECK_FALSE(converts(before));
                CHECK(n.out == before.out);
                CHECK(seen.insert({from, std::string(n.name.view())}).second);
            } else if (n.is<operations::add>() || n.is<operations::concat>()) {
                CHECK(alike);
            } else {
                CHECK(given.floating == own.floating);
            }
        }
    }
}

} // namespace

TEST_CASE("conversions stand where number domains meet, and nowhere else") {
    check_conversions<narrow>();
    check_conversions<widened>();
    check_conversions<island>();
    check_conversions<late>();
    check_conversions<shared>();
    check_conversions<joined>();
    check_conversions<signs>();
    support::for_each_random_network(
        []<class Net>() { check_conversions<numbers_chosen<deployed<Net>, weight, byte>>(); });
}
