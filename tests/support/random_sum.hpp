// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

#include "random_network.hpp"
#include <algorithm>

/// A family of sums of linear branches over one layer, drawn at compile time: `random_sum<Seed>`. Each is one
/// convolution.
namespace support {

enum class branch {
    square,       ///< a smaller or equal kernel, dilated where it fits
    point,        ///< 1 x 1
    identity,     ///< maybe with a batch norm
    mean,         ///< zeros around the image, then an average pool
    compressed,   ///< 1 x 1 without bias, then a kernel that pads
    padded_first, ///< padding, 1 x 1 with batch norm, then a kernel that need not pad
    nested,       ///< a sum with a batch norm after it
    count
};

/// What the branches of a sum share.
struct sum_shape {
    statiq::extents in{};
    int out_channels = 1;
    int groups = 1;
    bool depthwise = false;
    int kernel_height = 3;
    int kernel_width = 3;
    int stride_height = 1;
    int stride_width = 1;
    bool same = false; ///< TensorFlow's padding, which is one-sided where the stride is 2; else symmetric
    int branches = 2;
    bool norm_after = false;

    [[nodiscard]] constexpr bool keeps_channels() const { return in.channels == out_channels; }
    [[nodiscard]] constexpr bool keeps_pixels() const { return stride_height == 1 && stride_width == 1; }
};

constexpr sum_shape draw_sum(int seed) {
    draws draw(seed + 9000);
    sum_shape s;
    s.groups = draw(1, 3);
    const int per_group = draw(1, 4);
    s.in = {draw(6, 11), draw(6, 11), s.groups * per_group};
    s.out_channels = draw.one_in(3) ? s.groups * draw(1, 4) : s.in.channels;
    if (draw.one_in(4)) {
        s.depthwise = true;
        s.groups = s.in.channels;
        s.out_channels = s.in.channels;
    }
    s.kernel_height = 2 * draw(0, 2) + 1;
    s.kernel_width = 2 * draw(0, 2) + 1;
    s.same = draw.one_in(3);
    if (draw.one_in(3)) {
        s.stride_height = draw(1, 3);
        s.stride_width = draw(1, 3);
    }
    s.branches = draw(1, 4);
    s.norm_after = draw.one_in(3);
    return s;
}

/// A convolution of the sum's extents whose window lies inside the sum's.
constexpr statiq::layer_spec square_spec(const sum_shape& s, int kernel_height, int kernel_width, int dilation,
                                         statiq::bias_rule bias) {
    const auto padding = [&](int kernel) { return (kernel - 1) * dilation / 2; };
    statiq::layer_spec spec{.facts = &statiq::facts_of<statiq::operations::convolution>,
                            .depthwise = s.depthwise,
                            .out_channels = s.depthwise ? 1 : s.out_channels,
                            .kernel_height = kernel_height,
                            .kernel_width = kernel_width,
                            .stride_height = s.stride_height,
                            .stride_width = s.stride_width,
                            .dilation_height = dilation,
                            .dilation_width = dilation,
                            .groups = s.depthwise ? 1 : s.groups,
                            .bias = bias};
    if (!s.same) {
        spec.padding = statiq::padding_rule::sides;
        spec.pad_top = spec.pad_bottom = padding(kernel_height);
        spec.pad_left = spec.pad_right = padding(kernel_width);
    }
    return spec;
}
/// 1 x 1 from the input's channels to as many, stride 1.
constexpr statiq::layer_spec mixing_spec(const sum_shape& s) {
    return {.facts = &statiq::facts_of<statiq::operations::convolution>,
            .depthwise = s.depthwise,
            .out_channels = s.depthwise ? 1 : s.in.channels,
            .groups = s.depthwise ? 1 : s.groups,
            .bias = statiq::bias_rule::never};
}

struct branch_choice {
    branch kind = branch::square;
    statiq::layer_spec first{};
    statiq::layer_spec second{};
    bool has_norm = false;
    statiq::layer_spec norm{};
};

constexpr branch_choice draw_branch(int seed, int index, const sum_shape& s) {
    draws draw(seed * 8 + index + 20000);
    branch_choice b{.kind = static_cast<branch>(draw(0, static_cast<int>(branch::count) - 1))};
    b.has_norm = !draw.one_in(3);
    b.norm = {.facts = &statiq::facts_of<statiq::operations::batch_norm>, .epsilon = draw.one_in(2) ? 1e-3F : 1e-5F};
    const auto bias = draw.one_in(3) ? statiq::bias_rule::always : statiq::bias_rule::unless_batch_norm_follows;
    const bool dilates = draw.one_in(4) && s.kernel_height == 5 && s.kernel_width == 5;
    const int kernel_height = dilates ? 3 : std::min(s.kernel_height, 2 * draw(0, 2) + 1);
    const int kernel_width = dilates ? 3 : std::min(s.kernel_width, 2 * draw(0, 2) + 1);
    b.first = square_spec(s, kernel_height, kernel_width, dilates ? 2 : 1, bias);
    if (b.kind == branch::identity && !(s.keeps_channels() && s.keeps_pixels())) b.kind = branch::point;
    const bool known_padding = !s.same;
    if (b.kind == branch::mean && !(s.keeps_channels() && known_padding)) b.kind = branch::point;
    if (b.kind == branch::padded_first && !known_padding) b.kind = branch::compressed;
    switch (b.kind) {
    case branch::point:
        b.first = square_spec(s, 1, 1, 1, bias);
        break;
    case branch::mean:
    case branch::padded_first:
        b.second = {.facts = &statiq::facts_of<statiq::operations::pad>,
                    .pad_top = s.kernel_height / 2,
                    .pad_bottom = s.kernel_height / 2,
                    .pad_left = s.kernel_width / 2,
                    .pad_right = s.kernel_width / 2};
        b.first = square_spec(s, s.kernel_height, s.kernel_width, 1, bias);
        b.first.padding = statiq::padding_rule::valid;
        b.first.pad_top = b.first.pad_bottom = b.first.pad_left = b.first.pad_right = 0;
        if (b.kind == branch::mean) {
            b.first.facts = &statiq::facts_of<statiq::operations::average_pool>;
            b.first.depthwise = false;
            b.first.out_channels = 0;
            b.first.groups = 1;
            b.first.bias = statiq::bias_rule::unless_batch_norm_follows;
        }
        break;
    case branch::nested:
        b.second = square_spec(s, 1, 1, 1, statiq::bias_rule::never);
        break;
    default:
        break;
    }
    return b;
}

template <int Seed, int Index>
constexpr auto random_branch() {
    constexpr sum_shape s = draw_sum(Seed);
    constexpr branch_choice b = draw_branch(Seed, Index, s);
    constexpr auto norm = optional_part<b.has_norm, b.norm>();
    constexpr auto first = statiq::layer_from<b.first>;
    if constexpr (b.kind == branch::identity)
        return norm;
    else if constexpr (b.kind == branch::mean)
        return statiq::layer_from<b.second> | first | norm;
    else if constexpr (b.kind == branch::compressed)
        return statiq::layer_from<mixing_spec(s)> | first | norm;
    else if constexpr (b.kind == branch::padded_first)
        return statiq::layer_from<b.second> | statiq::layer_from<mixing_spec(s)> | statiq::layer_from<b.norm> | first |
               norm;
    else if constexpr (b.kind == branch::nested)
        return statiq::add(first | norm, statiq::layer_from<b.second> | statiq::layer_from<b.norm>) | norm;
    else
        return first | norm;
}

template <int Seed, int... Index>
constexpr auto random_branches(std::integer_sequence<int, Index...>) {
    constexpr sum_shape s = draw_sum(Seed);
    constexpr statiq::layer_spec whole =
        square_spec(s, s.kernel_height, s.kernel_width, 1, statiq::bias_rule::unless_batch_norm_follows);
    return statiq::add(statiq::layer_from<whole> | statiq::batch_norm, random_branch<Seed, Index>()...);
}

/// relu | sum | batch norm or nothing | relu: the layers around it are no part of the sum.
template <int Seed>
constexpr auto random_sum_body() {
    constexpr sum_shape s = draw_sum(Seed);
    return statiq::input<s.in.height, s.in.width, s.in.channels> | statiq::relu |
           statiq::named<"sum">(random_branches<Seed>(std::make_integer_sequence<int, s.branches>{})) |
           optional_part<s.norm_after,
                         statiq::layer_spec{.facts = &statiq::facts_of<statiq::operations::batch_norm>}>() |
           statiq::relu;
}
template <int Seed>
struct random_sum final : statiq::network<decltype(random_sum_body<Seed>())> {};

inline constexpr int random_sums = 40;

/// visit.operator()<Seed>() for every member.
template <int First = 0, int Last = random_sums, class Visit>
void for_each_random_sum(Visit&& visit) {
    [&]<int... I>(std::integer_sequence<int, I...>) { (visit.template operator()<First + I>(), ...); }
    (std::make_integer_sequence<int, Last - First>{});
}

} // namespace support
