// SPDX-License-Identifier: Apache-2.0
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>

using namespace statiq;
using statiq::detail::infer_axis;

namespace {

/// How many windows fit: every start is tried.
constexpr int count_positions(int padded, int kernel, int stride, int dilation) {
    int count = 0;
    for (int start = 0; start < padded; start += stride) count += start + (kernel - 1) * dilation < padded;
    return count;
}

/// tf.nn.convolution's documentation of 'SAME': the padding of one axis in all, of which the smaller half comes first.
constexpr int tensorflow_same_padding(int in, int kernel, int stride, int dilation) {
    const int effective = kernel + (kernel - 1) * (dilation - 1);
    return in % stride == 0 ? std::max(effective - stride, 0) : std::max(effective - in % stride, 0);
}

struct call {
    int in, kernel, stride, dilation, before, after;
};

constexpr bool valid_is_right(const call& c) {
    const auto axis = infer_axis(c.in, c.kernel, c.stride, c.dilation, padding_rule::valid, c.before, c.after);
    return axis.out == count_positions(c.in, c.kernel, c.stride, c.dilation) && axis.pad_before == 0;
}
constexpr bool sides_are_right(const call& c) {
    const auto axis = infer_axis(c.in, c.kernel, c.stride, c.dilation, padding_rule::sides, c.before, c.after);
    return axis.out == count_positions(c.before + c.in + c.after, c.kernel, c.stride, c.dilation) &&
           axis.pad_before == c.before;
}
constexpr bool same_is_right(const call& c) {
    const auto axis = infer_axis(c.in, c.kernel, c.stride, c.dilation, padding_rule::same, c.before, c.after);
    const int total = tensorflow_same_padding(c.in, c.kernel, c.stride, c.dilation);
    int out = 0; // ceil(in / stride): one output for every stride-th input
    for (int start = 0; start < c.in; start += c.stride) ++out;
    return axis.out == out && axis.pad_before == total / 2 &&
           // With that padding, and the rest behind the image, windows of rule `sides` fit as often.
           count_positions(c.in + total, c.kernel, c.stride, c.dilation) == out;
}

template <class Law>
constexpr bool holds_on_a_grid(Law law) {
    for (int in = 1; in <= 12; ++in)
        for (int kernel = 1; kernel <= 5; ++kernel)
            for (int stride = 1; stride <= 4; ++stride)
                for (int dilation = 1; dilation <= 3; ++dilation)
                    for (int pad = 0; pad <= 3; pad += 3)
                        if (!law(call{in, kernel, stride, dilation, pad, pad / 2})) return false;
    return true;
}
static_assert(holds_on_a_grid(valid_is_right));
static_assert(holds_on_a_grid(sides_are_right));
static_assert(holds_on_a_grid(same_is_right));

int uniform(std::mt19937& random, int low, int high) {
    return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
}

call random_call(std::mt19937& random) {
    return {uniform(random, 1, 300), uniform(random, 1, 11), uniform(random, 1, 7),
            uniform(random, 1, 5),   uniform(random, 0, 12), uniform(random, 0, 12)};
}

} // namespace

TEST_CASE("the extent of an axis is the number of windows that fit") {
    std::mt19937 random(11);
    for (int round = 0; round < 20000; ++round) {
        const call c = random_call(random);
        CAPTURE(c.in);
        CAPTURE(c.kernel);
        CAPTURE(c.stride);
        CAPTURE(c.dilation);
        CAPTURE(c.before);
        CAPTURE(c.after);
        REQUIRE(valid_is_right(c));
        REQUIRE(sides_are_right(c));
        REQUIRE(same_is_right(c));
    }
}

TEST_CASE("symmetric padding gives PyTorch's extents") {
    std::mt19937 random(12);
    for (int round = 0; round < 20000; ++round) {
        const call c = random_call(random);
        // torch.nn.Conv2d: floor((H_in + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1)
        const double quotient =
            static_cast<double>(c.in + 2 * c.before - c.dilation * (c.kernel - 1) - 1) / static_cast<double>(c.stride);
        const int expected = std::max(0, static_cast<int>(std::floor(quotient + 1)));
        REQUIRE(infer_axis(c.in, c.kernel, c.stride, c.dilation, padding_rule::sides, c.before, c.before).out ==
                expected);
    }
}

TEST_CASE("'same' keeps extents at stride 1 and puts an odd row behind the image") {
    std::mt19937 random(13);
    for (int round = 0; round < 5000; ++round) {
        const call c = random_call(random);
        CHECK(infer_axis(c.in, c.kernel, 1, c.dilation, padding_rule::same, 0, 0).out == c.in);
        const auto axis = infer_axis(c.in, c.kernel, c.stride, c.dilation, padding_rule::same, 0, 0);
        const std::int64_t end = (axis.out - 1) * c.stride - axis.pad_before + (c.kernel - 1) * c.dilation + 1;
        const std::int64_t pad_after = std::max<std::int64_t>(0, end - c.in);
        if (axis.pad_before > 0) {
            REQUIRE(pad_after >= axis.pad_before);
            REQUIRE(pad_after <= axis.pad_before + 1);
        } else {
            REQUIRE(pad_after <= 1);
        }
    }
}

// ---- the same, seen on whole layers ----------------------------------------------------------------------------

namespace {

template <graph_part Layer>
constexpr node shaped(const Layer&) {
    return network<decltype(input<23, 17, 6> | Layer{})>::nodes[1];
}

// Rows and columns do not meddle with each other.
constexpr node strided = shaped(conv<10>(kernel<5, 3>, stride<3, 2>));
static_assert(strided.in == extents{23, 17, 6});
static_assert(strided.out == extents{8, 9, 10});
static_assert(strided.over == window{.kernel_height = 5,
                                     .kernel_width = 3,
                                     .stride_height = 3,
                                     .stride_width = 2,
                                     .pad_top = 1, // total (8 - 1) * 3 + 5 - 23 = 3
                                     .pad_left = 1});
static_assert(strided.convolution().weight_count() == 10 * 5 * 3 * 6);

constexpr node dilated = shaped(conv<4>(kernel<3, 4>, dilation<2, 3>, valid));
static_assert(dilated.out == extents{19, 8, 4});
static_assert(dilated.over.dilation_height == 2 && dilated.over.dilation_width == 3);
static_assert(dilated.over.pad_top == 0 && dilated.over.pad_left == 0);

static_assert(shaped(conv<4>(kernel<3>, padding<2>)).out == extents{25, 19, 4});
static_assert(shaped(conv<4>(kernel<3>, padding<0, 4>)).out == extents{21, 23, 4});
constexpr node lopsided = shaped(conv<4>(kernel<3>, padding_sides<1, 2, 3, 4>));
static_assert(lopsided.out == extents{24, 22, 4});
static_assert(lopsided.over.pad_top == 1 && lopsided.over.pad_left == 3);
// A layer that is called again is refined.
static_assert(shaped(conv<4>(kernel<3>, padding<2>)(valid)).out == extents{21, 15, 4});
static_assert(shaped(conv<4>(kernel<3>)(stride<2>)) == shaped(conv<4>(stride<2>, kernel<3>)));

// A pool's stride is its kernel unless told, in each direction.
static_assert(shaped(max_pool).out == extents{11, 8, 6});
static_assert(shaped(max_pool).over.stride_height == 2);
static_assert(shaped(max_pool(same)).out == extents{12, 9, 6});
static_assert(shaped(average_pool(kernel<5, 3>)).out == extents{4, 5, 6});
static_assert(shaped(average_pool(kernel<5, 3>)).over.stride_width == 3);
static_assert(shaped(max_pool(kernel<3>, stride<2>, padding<1>)).out == extents{12, 9, 6});
static_assert(shaped(max_pool(kernel<3>, stride<1>, same)).out == extents{23, 17, 6});
// Padding one short of the window is the most that leaves every window something of the image.
static_assert(shaped(max_pool(kernel<3>, stride<3>, padding<2>)).out == extents{9, 7, 6});

static_assert(shaped(global_average_pool).out == extents{1, 1, 6});
static_assert(shaped(flatten).out == extents{1, 1, 23 * 17 * 6});
static_assert(shaped(batch_norm).out == extents{23, 17, 6});
static_assert(shaped(relu).out == extents{23, 17, 6});

// Layers that only move data.
static_assert(shaped(reshape<17, 2, 69>).out == extents{17, 2, 69});
static_assert(shaped(reshape<1, 1, 23 * 17 * 6>) == shaped(flatten));
static_assert(shaped(transpose<2, 0, 1>).out == extents{6, 23, 17});
static_assert(shaped(transpose<2, 0, 1>).axes == std::array{2, 0, 1});
static_assert(network<decltype(input<23, 17, 6> | transpose<2, 0, 1> | transpose<1, 2, 0>)>::nodes[2].out ==
              extents{23, 17, 6}); // each undoes the other
static_assert(shaped(pad<1, 2, 3, 4>).out == extents{26, 24, 6});
static_assert(shaped(pad<1, 2, 3, 4>).over.pad_top == 1 && shaped(pad<1, 2, 3, 4>).over.pad_left == 3);
static_assert(shaped(broadcast<23, 17, 6>).out == extents{23, 17, 6});
static_assert(network<decltype(input<1, 17, 1> | broadcast<23, 17, 6>)>::nodes[1].out == extents{23, 17, 6});
// Padding before a convolution is padding of the convolution.
static_assert(network<decltype(input<23, 17, 6> | pad<1, 2, 3, 4> | conv<4>(kernel<3>, stride<2>, valid))>::nodes[2]
                  .out == shaped(conv<4>(kernel<3>, stride<2>, padding_sides<1, 2, 3, 4>)).out);

// Groups and depthwise.
constexpr node grouped_node = shaped(conv<9>(kernel<3>, groups<3>));
static_assert(grouped_node.groups == 3 && !grouped_node.is_depthwise());
static_assert(grouped_node.convolution().in_channels_per_group() == 2);
static_assert(grouped_node.convolution().out_channels_per_group() == 3);
static_assert(grouped_node.convolution().weight_count() == 9 * 9 * 2);
constexpr node multiplied = shaped(depthwise_multiplied<3>(kernel<5>, stride<2>));
static_assert(multiplied.is_depthwise() && multiplied.groups == 6);
static_assert(multiplied.out == extents{12, 9, 18});
static_assert(multiplied.convolution().weight_count() == 25 * 18);
static_assert(shaped(depthwise).over.taps() == 9);
// Groups as many as channels are a depthwise convolution by another name.
static_assert(shaped(conv<18>(kernel<5>, stride<2>, groups<6>)) == multiplied);

} // namespace

TEST_CASE("a dense layer reads a flat vector") {
    constexpr auto& nodes = network<decltype(input<3, 5, 2> | flatten | dense<7>)>::nodes;
    static_assert(nodes[2].in == extents{1, 1, 30});
    static_assert(nodes[2].out == extents{1, 1, 7});
    static_assert(nodes[2].convolution().weight_count() == 210);
    CHECK(nodes[2].is<operations::dense>());
}
