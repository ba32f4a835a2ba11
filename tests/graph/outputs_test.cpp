// SPDX-License-Identifier: Apache-2.0
#include <statiq/graph/network.hpp>
#include <statiq/graph/outputs.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/require_merged.hpp>
#include <statiq/passes/strip_depthwise.hpp>
#include <statiq/plan/memory.hpp>

#include <doctest/doctest.h>

#include <cstddef>

using namespace statiq;

namespace {

// ---- upsampling ---------------------------------------------------------------------------------------------------

struct enlarged final : network<decltype(input<3, 5, 2> | upsample<2> | upsample<1, 3>)> {};
static_assert(enlarged::nodes[1].out == extents{6, 10, 2});
static_assert(output_extents<enlarged> == extents{6, 30, 2});
static_assert(enlarged::nodes[1].name == label("upsample") && enlarged::nodes[2].name == label("upsample_2"));
static_assert(operations::upsample::traits.keeps_numbers);

// ---- named outputs ------------------------------------------------------------------------------------------------

constexpr auto layer_part = conv<4>(kernel<3>) | batch_norm | relu;
constexpr auto body = input<8, 8, 4> | named<"a">(layer_part) | named<"b">(layer_part) | named<"c">(max_pool) |
                      named<"d">(layer_part) | outputs<"c", "a">;
struct net final : network<decltype(body)> {};
static_assert(net::output_names[0] == label("c") && net::output_names[1] == label("a") && net::output_names[2].empty());
// A label's value is that of its last layer.
static_assert(output_index<net, "a"> == find_node<net>("a.relu"));
static_assert(output_index<net, "c"> == find_node<net>("c.max_pool"));
static_assert(net::nodes[output_index<net, "c">].output == 1 && net::nodes[output_index<net, "a">].output == 2);

// Passes keep them: folded and fused, the output is the convolution's.
using D = deployed<net>;
static_assert(output_index<D, "a"> == find_node<D>("a") && D::nodes[output_index<D, "a">].clamp == relu_clamp);
static_assert(output_index<D, "c"> == find_node<D>("c.max_pool"));
static_assert(D::nodes[node_count<D> - 1].output == 0); // the last layer's value is the result without being named

// A value that is an output is not changed by who else reads it: its ReLU stays apart, and so does its batch norm.
struct before_relu final
    : network<decltype(input<8, 8, 4> | named<"a">(conv<4>(kernel<3>)) | outputs<"a"> | relu | conv<2>)> {};
static_assert(deployed<before_relu>::nodes[1].clamp == real_clamp{} && node_count<deployed<before_relu>> == 4);
struct before_norm final
    : network<decltype(input<8, 8, 4> | named<"a">(conv<4>(kernel<3>)) | outputs<"a"> | batch_norm)> {};
static_assert(deployed<before_norm>::nodes[2].is_depthwise());
struct stripped final
    : network<decltype(input<8, 8, 4> | named<"a">(depthwise | batch_norm | relu) | outputs<"a"> | conv<2>)> {};
static_assert(output_index<depthwise_stripped<stripped>, "a"> == 1);

// A branch whose value is an output keeps its sum from being merged; the sum itself may be one.
constexpr auto branches = add(named<"one">(conv<4> | batch_norm), conv<4>(kernel<3>) | batch_norm);
struct branch_seen final : network<decltype(input<8, 8, 4> | branches | outputs<"one">)> {};
static_assert(node_count<branches_merged<branch_seen>> == node_count<branch_seen>);
static_assert(detail::first_unmerged<branch_seen>(label{}).refusal.why == merge_obstacle::output);
struct sum_seen final : network<decltype(input<8, 8, 4> | named<"s">(branches) | outputs<"s"> | conv<2>)> {};
static_assert(output_index<branches_merged<sum_seen>, "s"> == 1);

/// No two tensors that must live together share memory, and outputs live to the end.
template <graph_type G>
constexpr bool outputs_live = [] {
    const auto& plan = memory_plan_of<G>;
    for (std::size_t i = 0; i < node_count<G>; ++i) {
        if (G::nodes[i].output == 0) continue;
        if (plan.tensors[i].last != static_cast<int>(node_count<G>)) return false;
        for (std::size_t k = i + 1; k < node_count<G>; ++k)
            if (plan.tensors[i].bytes > 0 && plan.tensors[k].bytes > 0 && plan.tensors[i].overlaps(plan.tensors[k]))
                return false;
    }
    return true;
}();
static_assert(outputs_live<net> && outputs_live<D>);
// Flattened, an output is the memory that it flattens.
struct flat final : network<decltype(input<4, 4, 2> | conv<2>(kernel<3>) | named<"f">(flatten) | outputs<"f"> |
                                     dense<8> | dense<4>)> {};
static_assert(memory_plan_of<flat>.tensors[1].last == static_cast<int>(node_count<flat>));

} // namespace

TEST_CASE("named outputs cost memory, and nothing else") {
    struct plain final : network<decltype(input<8, 8, 4> | named<"a">(layer_part) | named<"b">(layer_part) |
                                          named<"c">(max_pool) | named<"d">(layer_part))> {};
    CHECK(node_count<plain> == node_count<net>);
    CHECK(node_count<deployed<plain>> == node_count<D>);
    CHECK(memory_plan_of<D>.largest_live_set > memory_plan_of<deployed<plain>>.largest_live_set);
    for (std::size_t i = 0; i < node_count<net>; ++i) {
        node n = net::nodes[i];
        n.output = 0;
        CHECK(n == plain::nodes[i]);
    }
}
