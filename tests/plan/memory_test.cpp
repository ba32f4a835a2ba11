// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/digits.hpp>
#include <statiq/networks/mlperf_tiny.hpp>
#include <statiq/networks/mobilenet_v1.hpp>
#include <statiq/networks/visual_wake_words.hpp>
#include <statiq/plan/facts.hpp>

#include <doctest/doctest.h>

#include "../graph/architectures.hpp"
#include "plan_laws.hpp"
#include <cstddef>

using namespace statiq;
using namespace plan_test;

namespace {

using weight8 = quantized<8, symmetric, per_channel>;
using unsigned8 = quantized<8, asymmetric>;
using signed16 = quantized<16, symmetric>;

template <graph_type G>
void check_plan() {
    CHECK(broken_law(G::nodes, memory_plan_of<G>) == "");
    CHECK(within_five_percent(memory_plan_of<G>));
}

/// As trained, as deployed, and in 8 and 16 bits.
template <graph_type G>
void check_plans() {
    check_plan<G>();
    check_plan<deployed<G>>();
    check_plan<numbers_chosen<deployed<G>, weight8, unsigned8>>();
    static_assert(arena_bytes<G, unsigned8> ==
                  memory_plan_of<numbers_chosen<deployed<G>, weight8, unsigned8>>.arena_bytes);
}

} // namespace

// ---- arenas that follow from the shapes --------------------------------------------------------------------------

// In a chain, a layer's input and output are all that is alive. MobileNetV1 is largest where pw1 makes 64 channels out
// of 32 at half the resolution.
static_assert(arena_bytes<networks::mobilenet_v1<100, 224>, unsigned8> == 112 * 112 * (32 + 64));
static_assert(arena_bytes<networks::mobilenet_v1<100, 224>, float32> == 4 * 112 * 112 * (32 + 64));
static_assert(arena_bytes<networks::mobilenet_v1<75, 192>, unsigned8> == 96 * 96 * (24 + 48));
static_assert(arena_bytes<networks::mobilenet_v1<25, 128>, signed16> == 2 * 64 * 64 * (8 + 16));
static_assert(arena_bytes<networks::visual_wake_words, unsigned8> == 48 * 48 * (8 + 16));
// Before deployment batch norm and ReLU6 are layers: two tensors of the 64 channels.
static_assert(arena_bytes<networks::mobilenet_v1<100, 224>> == 4 * 112 * 112 * (64 + 64));
static_assert(arena_bytes<networks::mobilenet_v1<100, 224>> ==
              memory_plan_of<networks::mobilenet_v1<100, 224>>.arena_bytes);

TEST_CASE("MobileNetV1 at other widths and resolutions") {
    check_plan<networks::mobilenet_v1<100, 224>>();
    check_plan<numbers_chosen<deployed<networks::mobilenet_v1<75, 192>>, weight8, unsigned8>>();
    check_plan<numbers_chosen<deployed<networks::mobilenet_v1<25, 128>>, weight8, unsigned8>>();
    check_plan<numbers_chosen<deployed<networks::mobilenet_v1<25, 128>>, weight8, signed16>>();
    check_plan<numbers_chosen<deployed<networks::mobilenet_v1<50, 161>>, weight8, unsigned8>>();
    check_plan<numbers_chosen<deployed<networks::mobilenet_v1_friendly<100, 160>>, weight8, unsigned8>>();
    check_plans<networks::visual_wake_words>();
    check_plans<networks::digits>();
}

TEST_CASE("chains, residuals, branches, joins of joins") {
    check_plans<networks::resnet8<>>();
    check_plans<architectures::small_repvgg>();
    check_plans<architectures::small_vgg>();
    check_plans<networks::ds_cnn>();
    check_plans<networks::autoencoder>();
    check_plans<architectures::detector>();
    check_plans<architectures::tangle>();
    check_plan<numbers_chosen<deployed<architectures::tangle>, quantized<4>, signed16>>();
}

TEST_CASE("a residual keeps its shortcut alive") {
    struct net final : network<decltype(input<8, 8, 16> | conv<16>(kernel<3>) | residual(conv<64> | conv<16>))> {};
    // 16 channels wait while 64 are made of them and 16 of those.
    CHECK(memory_plan_of<net>.arena_bytes == 4 * 64 * (16 + 64 + 16));
    check_plan<net>();
}

TEST_CASE("mixed numbers: conversions have tensors of their own") {
    struct net final
        : network<decltype(input<30, 20, 3> | named<"a">(conv<16>(kernel<3>) | relu) |
                           add(with<float32>(named<"b">(conv<16>(kernel<3>))),
                               with<weight8, signed16>(named<"c">(conv<16>(kernel<3>))), identity) |
                           global_average_pool | flatten | with<float32>(named<"fc">(dense<7>)) | softmax)> {};
    using chosen = numbers_chosen<deployed<net>, weight8, unsigned8>;
    int conversions = 0;
    for (const node& n : chosen::nodes) conversions += n.is<operations::convert>();
    CHECK(conversions == 5); // to b, from b, from c, to fc, from fc
    check_plan<chosen>();
}

TEST_CASE("the input is the caller's, and so is a reshape of it") {
    struct net final : network<decltype(input<4, 4, 3> | flatten | named<"fc">(dense<7>) | relu)> {};
    const auto& plan = memory_plan_of<net>;
    CHECK(plan.tensors[0].bytes == 0);
    CHECK(plan.tensors[1].bytes == 0);
    CHECK(plan.tensors[1].alias_of == 0);
    CHECK(plan.arena_bytes == 2 * 64);
    check_plan<net>();
}

TEST_CASE("an alias keeps its memory, also as the result and through other aliases") {
    struct net final
        : network<decltype(input<4, 4, 4> | named<"a">(conv<4>) | named<"f">(flatten) |
                           add(identity, named<"d">(dense<64>) | flatten | flatten, from<"a"> | relu | flatten) |
                           concat(from<"f">, identity) | flatten)> {};
    check_plan<net>();
    const auto& plan = memory_plan_of<net>;
    CHECK(plan.tensors[2].alias_of == 1);
    CHECK(plan.tensors[5].alias_of == 3);
    CHECK(plan.tensors.back().alias_of == static_cast<int>(node_count<net>) - 2);
}

TEST_CASE("a network of one layer needs that layer's output") {
    struct net final : network<decltype(input<5, 5, 3> | conv<2>)> {};
    CHECK(memory_plan_of<net>.arena_bytes == 256); // 200 bytes, in units of 64
    check_plan<net>();
    struct nothing final : network<decltype(input<5, 5, 3>)> {};
    CHECK(memory_plan_of<nothing>.arena_bytes == 0);
}
