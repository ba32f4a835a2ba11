// SPDX-License-Identifier: Apache-2.0
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <vector>

using namespace statiq;

namespace {

template <graph_part Body>
constexpr auto nodes_of(const Body&) {
    return network<Body>::nodes;
}

template <graph_part Body>
std::vector<std::string> names_of(const Body& body) {
    std::vector<std::string> names;
    for (const node& n : nodes_of(body)) names.emplace_back(n.name.view());
    return names;
}

using words = std::vector<std::string>;

template <class Nodes>
constexpr const node& called(const Nodes& nodes, std::string_view name) {
    return *std::find_if(nodes.begin(), nodes.end(), [&](const node& n) { return n.name.view() == name; });
}

constexpr auto image = input<16, 12, 8>;

} // namespace

// ---- graphs are values -------------------------------------------------------------------------------------------

TEST_CASE("a graph is a value without state, and its nodes are constants") {
    constexpr auto body = image | conv<8>(kernel<3>) | relu;
    static_assert(std::is_empty_v<std::remove_const_t<decltype(conv<8>(kernel<3>))>>);
    static_assert(graph_part<decltype(body)>);
    static_assert(!graph_part<int>);
    struct net final : network<decltype(body)> {};
    static_assert(graph_type<net>);
    static_assert(node_count<net> == 3);
    static_assert(input_extents<net> == extents{16, 12, 8});
    static_assert(output_extents<net> == extents{16, 12, 8});
    static_assert(find_node<net>("relu") == 2);
    static_assert(find_node<net>("absent") == -1);
    static_assert(net::nodes[2].input() == 1 && net::nodes[1].input() == 0 && net::nodes[0].input() == -1);
}

TEST_CASE("a body may be given as a function: its network has the same nodes and a shorter type") {
    static constexpr auto body = image | named<"stem">(conv<4>) | batch_norm | relu | outputs<"stem">;
    constexpr auto function = [] { return image | named<"stem">(conv<4>) | batch_norm | relu | outputs<"stem">; };
    using as_part = network<decltype(body)>;
    using as_function = network<decltype(function)>;
    using in_place = network<decltype([] { return body; })>;
    CHECK(as_function::nodes == as_part::nodes);
    CHECK(in_place::nodes == as_part::nodes);
    CHECK(as_function::output_names == as_part::output_names);
    CHECK(std::is_same_v<operations_of<as_function>, operations_of<as_part>>);
    CHECK(std::string_view(typeid(as_function).name()).size() < std::string_view(typeid(as_part).name()).size());
}

TEST_CASE("composition is associative, identity is neutral") {
    constexpr auto a = named<"a">(conv<8>(kernel<3>) | batch_norm);
    constexpr auto b = relu;
    constexpr auto c = residual(depthwise);
    static constexpr auto expected = nodes_of(image | a | b | c);
    static_assert(nodes_of((image | a) | (b | c)) == expected);
    static_assert(nodes_of(image | (a | (b | c))) == expected);
    static_assert(nodes_of(image | identity | a | (identity | b) | c | identity) == expected);
    static_assert(nodes_of(image | a | b | add(depthwise, identity)) == expected);
    static_assert(nodes_of(image | a | from<"a"> | b | c) == expected);
    static_assert(nodes_of(named<"">(image | a | b | c)) == expected);
    CHECK(expected.size() == 6);
}

TEST_CASE("a sum joins branches over one input") {
    static constexpr auto nodes = nodes_of(image | relu | add(conv<8>, depthwise | relu6, identity));
    static constexpr const node& sum = nodes.back();
    static_assert(sum.is<operations::add>() && sum.input_count == 3);
    static_assert(sum.inputs[0] == 2 && sum.inputs[1] == 4 && sum.inputs[2] == 1);
    static_assert(nodes[2].input() == 1 && nodes[3].input() == 1); // both branches read the relu
    static_assert(sum.out == extents{16, 12, 8});
    CHECK(nodes.size() == 6);
}

TEST_CASE("a concatenation adds channels in the order of its branches") {
    static constexpr auto nodes =
        nodes_of(image | concat(conv<3>, identity, max_pool(kernel<3>, stride<1>, same), conv<5>));
    static constexpr const node& joined = nodes.back();
    static_assert(joined.is<operations::concat>() && joined.input_count == 4);
    static_assert(joined.out == extents{16, 12, 3 + 8 + 8 + 5});
    static_assert(nodes[static_cast<std::size_t>(joined.inputs[0])].out.channels == 3);
    static_assert(joined.inputs[1] == 0);
    static_assert(nodes[static_cast<std::size_t>(joined.inputs[3])].out.channels == 5);
    // As many as there is room for.
    CHECK(nodes_of(image | concat(relu, relu, relu, relu, relu, relu, relu, relu)).back().out.channels == 64);
}

TEST_CASE("graphs that differ in one option differ") {
    const auto changed = [](const auto& with_option) {
        return nodes_of(image | with_option)[1] != nodes_of(image | conv<8>(kernel<3>))[1];
    };
    CHECK_FALSE(changed(conv<8>(kernel<3, 3>, stride<1>, same, dilation<1>, groups<1>)));
    CHECK(changed(conv<9>(kernel<3>)));
    CHECK(changed(conv<8>(kernel<3, 1>)));
    CHECK(changed(conv<8>(kernel<3>, stride<1, 2>)));
    CHECK(changed(conv<8>(kernel<3>, dilation<2>)));
    CHECK(changed(conv<8>(kernel<3>, valid)));
    CHECK(changed(conv<8>(kernel<3>, groups<2>)));
    CHECK(changed(conv<8>(kernel<3>, without_bias)));
    CHECK(changed(depthwise));
}

// ---- names -------------------------------------------------------------------------------------------------------

TEST_CASE("a scope's first linear layer takes its name, the others add their kind") {
    CHECK(names_of(image | named<"stem">(conv<8> | batch_norm | relu6) | max_pool | flatten | named<"fc">(dense<4>) |
                   softmax) == words{"input", "stem", "stem.bn", "stem.relu6", "max_pool", "reshape", "fc", "softmax"});
    CHECK(names_of(image | named<"block">(conv<8> | batch_norm | conv<8> | batch_norm | conv<8> | global_average_pool |
                                          dense<2> | batch_norm)) ==
          words{"input", "block", "block.bn", "block.convolution_2", "block.convolution_2.bn", "block.convolution_3",
                "block.global_average_pool", "block.dense_2", "block.dense_2.bn"});
}

TEST_CASE("layers without a label are named by their kind and counted") {
    CHECK(names_of(image | conv<8> | batch_norm | relu | conv<8> | batch_norm | relu | depthwise | add(identity, relu) |
                   relu) == words{"input", "convolution", "convolution.bn", "relu", "convolution_2", "convolution_2.bn",
                                  "relu_2", "convolution_3", "relu_3", "add", "relu_4"});
    // A user's label is left alone.
    CHECK(names_of(image | named<"relu_2">(conv<8>) | relu | relu) == words{"input", "relu_2", "relu", "relu_3"});
}

TEST_CASE("scopes nest") {
    CHECK(names_of(image | named<"stage1">(named<"block0">(named<"conv">(conv<8> | batch_norm) | relu) |
                                           named<"block1">(conv<8>))) ==
          words{"input", "stage1.block0.conv", "stage1.block0.conv.bn", "stage1.block0.relu", "stage1.block1"});
    CHECK(names_of(image | named<"a">(residual(named<"b">(conv<8>)) | relu)) ==
          words{"input", "a.b", "a.add", "a.relu"});
}

TEST_CASE("batch norm is named after its convolution, or after a scope of its own") {
    CHECK(names_of(image | named<"a">(conv<8>) | batch_norm)[2] == "a.bn");
    CHECK(names_of(image | named<"a">(conv<8>) | named<"b">(batch_norm))[2] == "b.bn");
    CHECK(names_of(image | named<"ab">(conv<8>) | named<"a">(batch_norm))[2] == "a.bn");
    CHECK(names_of(image | named<"a">(relu | batch_norm)) == words{"input", "a.relu", "a.bn"});
    CHECK(names_of(image | batch_norm) == words{"input", "bn"});
    CHECK(names_of(image | named<"a">(conv<8> | concat(batch_norm, batch_norm))) ==
          words{"input", "a", "a.bn", "a.bn_2", "a.concat"});
    // A block that starts with an identity branch behind a bare convolution.
    CHECK(names_of(image | named<"stem">(conv<8>) | named<"block">(add(conv<8> | batch_norm, batch_norm))) ==
          words{"input", "stem", "block", "block.bn", "block.bn_2", "block.add"});
}

TEST_CASE("labels are values") {
    static_assert(label("dw") + 13 == label("dw13"));
    static_assert(label("dw") + 0 == label("dw0"));
    static_assert(label("n") + 1204 == label("n1204"));
    static_assert(label("a") / label("b") == label("a.b"));
    static_assert(label{} / label("b") == label("b"));
    static_assert(label("a") / label{} == label("a"));
    static_assert(label("block.conv").is_in("block") && label("block").is_in("block") && label("block").is_in(""));
    static_assert(!label("block1").is_in("block") && !label("block").is_in("block.conv"));
    constexpr label longest("0123456789012345678901234567890123456789012345");
    static_assert(longest.size() == 46 && !longest.full());
    static_assert((longest + "67").size() == 47 && (longest + "67").full());
    CHECK((longest + "67").view() == "01234567890123456789012345678901234567890123456");
}

TEST_CASE("a layer may have the longest name there is") {
    const auto names = names_of(image | named<"01234567890123456789">(named<"1234567890123456789012345">(conv<8>)));
    CHECK(names[1] == "01234567890123456789.1234567890123456789012345");
    CHECK(names[1].size() == 46);
}

// ---- references --------------------------------------------------------------------------------------------------

TEST_CASE("from<label> continues at the last layer of a scope") {
    static constexpr auto nodes = nodes_of(image | named<"a">(conv<8> | batch_norm | relu) |
                                           named<"b">(conv<4>(stride<2>)) | from<"a"> | named<"c">(conv<6>));
    static_assert(called(nodes, "c").in == extents{16, 12, 8});
    static_assert(called(nodes, "c").input() == 3); // a.relu
    static constexpr auto inside =
        nodes_of(image | named<"a">(named<"first">(conv<8>) | named<"second">(conv<4>)) | relu | from<"a.first"> |
                 named<"b">(conv<2>) | from<"a"> | named<"c">(conv<2>));
    static_assert(called(inside, "b").input() == 1);
    static_assert(called(inside, "c").input() == 2);
    // "a" is no part of "ab", and a label may stand for the input.
    static constexpr auto prefix = nodes_of(image | named<"a">(conv<3>) | named<"ab">(conv<5>) |
                                            add(from<"a">, conv<3>) | concat(identity, from<"input">, from<"ab">));
    static_assert(prefix[4].is<operations::add>() && prefix[4].inputs[0] == 1);
    static_assert(prefix.back().inputs[1] == 0 && prefix.back().inputs[2] == 2);
    static_assert(prefix.back().out.channels == 3 + 8 + 5);
    CHECK(prefix.size() == 6);
    // A batch norm that is named after its convolution belongs to the label.
    CHECK(nodes_of(image | named<"a">(conv<8>) | batch_norm | relu | add(identity, from<"a">)).back().inputs[1] == 2);
}

TEST_CASE("a branch may refer to its sibling and to where it stands") {
    static constexpr auto nodes =
        nodes_of(image | concat(named<"left">(conv<4>), from<"left"> | named<"right">(conv<2>)));
    static_assert(called(nodes, "right").input() == 1);
    static constexpr auto block = nodes_of(image | named<"block">(conv<8> | relu | add(conv<8>, from<"block">)));
    // While the block is written, its last layer is the convolution before it in the sum.
    static_assert(block.back().inputs[0] == 3 && block.back().inputs[1] == 3);
    CHECK(nodes.back().out.channels == 6);
}

// ---- biases ------------------------------------------------------------------------------------------------------

TEST_CASE("a bias is left out where batch norm is all that reads a layer") {
    const auto has_bias = [](const auto& body) { return nodes_of(image | body)[1].has_bias; };
    CHECK(has_bias(conv<8>));
    CHECK(has_bias(conv<8> | relu | batch_norm));
    CHECK_FALSE(has_bias(conv<8> | batch_norm));
    CHECK_FALSE(has_bias(depthwise | batch_norm));
    CHECK_FALSE(has_bias(named<"a">(conv<8>) | named<"b">(batch_norm)));
    CHECK_FALSE(has_bias(conv<8> | identity | batch_norm));
    CHECK_FALSE(has_bias(conv<8> | concat(batch_norm, batch_norm)));
    // Another reader sees the bias.
    CHECK(has_bias(conv<8> | concat(batch_norm, relu)));
    CHECK(has_bias(conv<8> | residual(batch_norm)));
    CHECK(has_bias(named<"a">(conv<8>) | named<"b">(batch_norm) | add(identity, from<"a">)));
    // Told, a layer does as told.
    CHECK(has_bias(conv<8>(with_bias) | batch_norm));
    CHECK(has_bias(depthwise(with_bias) | batch_norm));
    CHECK_FALSE(has_bias(conv<8>(without_bias)));
    CHECK_FALSE(has_bias(depthwise(without_bias) | relu));

    static constexpr auto dense_nodes =
        nodes_of(input<1, 1, 5> | dense<4> | batch_norm | dense<3> | dense<2>(without_bias));
    static_assert(!dense_nodes[1].has_bias && dense_nodes[3].has_bias && !dense_nodes[4].has_bias);
    static_assert(!nodes_of(image | relu)[1].has_bias);
}

TEST_CASE("batch norm's epsilon is TensorFlow's unless given") {
    static_assert(nodes_of(image | batch_norm)[1].epsilon == 1e-3F);
    static_assert(nodes_of(image | batch_norm(epsilon<1e-5>))[1].epsilon == 1e-5F);
    CHECK(nodes_of(image | conv<8> | batch_norm(epsilon<0.25>))[2].epsilon == 0.25F);
}

// ---- defaults ----------------------------------------------------------------------------------------------------

TEST_CASE("a network's defaults are stated once; layers that say more keep it") {
    static constexpr auto nodes =
        nodes_of(with_defaults<pytorch>(image | conv<8>(kernel<3>) | batch_norm | depthwise(stride<2>, padding<1>) |
                                        batch_norm(epsilon<0.25>) | conv<4>(kernel<3>, same, without_bias) | max_pool));
    // PyTorch: 16 x 12 without padding is 14 x 10; floor((14 + 2 - 3) / 2) + 1 = 7, floor((10 + 2 - 3) / 2) + 1 = 5.
    static_assert(nodes[1].out == extents{14, 10, 8} && nodes[1].has_bias);
    static_assert(nodes[2].epsilon == 1e-5F);
    static_assert(nodes[3].out == extents{7, 5, 8} && nodes[3].has_bias);
    static_assert(nodes[4].epsilon == 0.25F);
    static_assert(nodes[5].out == extents{7, 5, 4} && !nodes[5].has_bias);
    CHECK(nodes[6].out == extents{3, 2, 4});
}

TEST_CASE("the inner of two defaults decides, and only inside") {
    static constexpr auto nodes = nodes_of(with_defaults<pytorch>(
        image | batch_norm | with_defaults<tensorflow>(named<"a">(conv<8>(kernel<3>) | batch_norm)) | batch_norm));
    static_assert(nodes[1].epsilon == 1e-5F && nodes[3].epsilon == 1e-3F && nodes[4].epsilon == 1e-5F);
    static_assert(nodes[2].out == extents{16, 12, 8} && !nodes[2].has_bias);
    static_assert(nodes_of(with_defaults<tensorflow>(image | conv<8>(kernel<3>) | batch_norm)) ==
                  nodes_of(image | conv<8>(kernel<3>) | batch_norm));
    constexpr layer_defaults own{.padding = padding_rule::valid, .epsilon = 1e-4F};
    CHECK(nodes_of(with_defaults<own>(image | batch_norm))[1].epsilon == 1e-4F);
}

TEST_CASE("two hundred layers need no names") {
    constexpr auto four = relu | relu | relu | relu;
    constexpr auto fifty = four | four | four | four | four | four | four | four | four | four | four | four | four;
    const auto names = names_of(image | fifty | fifty | fifty | fifty);
    CHECK(names.size() == 209);
    CHECK(names[1] == "relu");
    CHECK(names[208] == "relu_208");
}

// ---- number formats ----------------------------------------------------------------------------------------------

namespace {
using weight4 = quantized<4, symmetric, per_channel>;
using weight8 = quantized<8, symmetric>;
using unsigned8 = quantized<8, asymmetric>;
using signed16 = quantized<16, symmetric>;

constexpr bool has_weight(const node& n, const number_format& format) {
    return n.numbers.chosen_weight && n.numbers.weight == format;
}
constexpr bool has_activation(const node& n, const number_format& format) {
    return n.numbers.chosen_activation && n.numbers.activation == format;
}
} // namespace

TEST_CASE("with<> gives its formats to every layer inside and to none outside") {
    static constexpr auto nodes = nodes_of(image | conv<8> | with<weight4>(add(conv<8>, depthwise) | relu) | conv<4> |
                                           with<weight8, signed16>(conv<4> | relu) | with<float32>(conv<2>));
    static_assert(nodes[1].numbers == layer_numbers{});
    for (const int inside : {2, 3, 4, 5}) {
        CHECK(has_weight(nodes[static_cast<std::size_t>(inside)], weight4::format));
        CHECK_FALSE(nodes[static_cast<std::size_t>(inside)].numbers.chosen_activation);
    }
    static_assert(nodes[6].numbers == layer_numbers{});
    for (const int inside : {7, 8}) {
        CHECK(has_weight(nodes[static_cast<std::size_t>(inside)], weight8::format));
        CHECK(has_activation(nodes[static_cast<std::size_t>(inside)], signed16::format));
    }
    // A layer of float weights is a float layer.
    static_assert(has_weight(nodes[9], float32::format) && has_activation(nodes[9], float32::format));
}

TEST_CASE("the inner with<> decides; what it leaves open is as outside") {
    constexpr auto nodes =
        nodes_of(image | with<weight8, signed16>(conv<8> | with<weight4>(conv<8>) | with<weight4, unsigned8>(conv<8>)));
    static_assert(has_weight(nodes[1], weight8::format) && has_activation(nodes[1], signed16::format));
    static_assert(has_weight(nodes[2], weight4::format) && has_activation(nodes[2], signed16::format));
    static_assert(has_weight(nodes[3], weight4::format) && has_activation(nodes[3], unsigned8::format));
    CHECK(nodes.size() == 4);
}

TEST_CASE("formats given to layers survive deployment, the others are chosen") {
    struct net final
        : network<decltype(image | named<"a">(conv<8> | batch_norm | relu) |
                           with<weight4>(named<"b">(conv<8> | batch_norm | relu)) |
                           with<weight8, signed16>(named<"c">(conv<8> | batch_norm | relu)) | named<"d">(conv<4>))> {};
    using chosen = numbers_chosen<deployed<net>, weight8, unsigned8>;
    constexpr auto& nodes = chosen::nodes;
    static_assert(has_weight(called(nodes, "a"), weight8::format));
    static_assert(has_activation(called(nodes, "a"), unsigned8::format));
    static_assert(has_weight(called(nodes, "b"), weight4::format));
    static_assert(has_activation(called(nodes, "b"), unsigned8::format));
    static_assert(has_weight(called(nodes, "c"), weight8::format));
    static_assert(has_activation(called(nodes, "c"), signed16::format));
    static_assert(has_activation(called(nodes, "d"), unsigned8::format));
    static_assert(has_activation(called(nodes, "input"), unsigned8::format));
    CHECK(nodes.size() == 5);
}

TEST_CASE("a conversion stands where float and integer layers meet, once for each format") {
    struct net final
        : network<decltype(image | named<"a">(conv<8>) |
                           concat(with<float32>(named<"b">(conv<8>)), with<float32>(named<"c">(conv<8>)), identity))> {
    };
    using chosen = numbers_chosen<net, weight8, unsigned8>;
    constexpr auto& nodes = chosen::nodes;
    int conversions = 0;
    for (const node& n : nodes) conversions += n.is<operations::convert>();
    CHECK(conversions == 3); // a to float for both, b and c back
    static constexpr const node& b = called(nodes, "b");
    static constexpr const node& c = called(nodes, "c");
    static_assert(b.input() == c.input());
    static_assert(nodes[static_cast<std::size_t>(b.input())].is<operations::convert>());
    static_assert(has_activation(b, float32::format));
    for (std::size_t k = 0; k < 3; ++k) {
        const node& joined = nodes[static_cast<std::size_t>(nodes.back().inputs[k])];
        CHECK(joined.numbers.activation == unsigned8::format);
        CHECK((joined.is<operations::convert>()) == (k < 2));
    }
}

TEST_CASE("a conversion that is written down needs no other") {
    struct net final : network<decltype(image | named<"a">(conv<8>) | with<float32>(convert | named<"b">(conv<8>)) |
                                        with<weight8, unsigned8>(convert) | named<"c">(conv<8>))> {};
    using chosen = numbers_chosen<net, weight8, unsigned8>;
    CHECK(node_count<chosen> == node_count<net>);
    static_assert(called(chosen::nodes, "convert").numbers.activation.floating);
    static_assert(called(chosen::nodes, "b").numbers.activation.floating);
    static_assert(!called(chosen::nodes, "convert_2").numbers.activation.floating);
    static_assert(!called(chosen::nodes, "c").numbers.activation.floating);
}
