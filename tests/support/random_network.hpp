// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

/// A family of small networks, drawn at compile time: `random_network<Seed>`.
namespace support {

/// Uniform in [low, high], from a sequence that a seed fixes (splitmix64).
class draws {
  public:
    explicit constexpr draws(int seed) : state_(static_cast<std::uint64_t>(seed) * 0xd1342543de82ef95u) {}

    constexpr int operator()(int low, int high) {
        state_ += 0x9e3779b97f4a7c15u;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        return low + static_cast<int>((z >> 11) % static_cast<std::uint64_t>(high - low + 1));
    }
    constexpr bool one_in(int count) { return (*this)(1, count) == 1; }

  private:
    std::uint64_t state_;
};

enum class block {
    convolution, ///< any kernel, stride, padding, dilation
    grouped,
    depthwise,   ///< with multiplier 1 or 2
    residual,    ///< a bottleneck and the identity
    repvgg,      ///< three branches, each with its batch norm
    inception,   ///< convolutions and a pool side by side
    pool,        ///< and sometimes an activation of its own
    lone_norm,   ///< a batch norm that follows no linear layer
    rearranged,  ///< padded with zeros, then with its axes in another order
    excitation,  ///< a mean over the image, added to every pixel
    shared_norm, ///< a batch norm whose convolution has another reader
    function,    ///< a convolution and a function of each value
    gated,       ///< a mean over the image, made a share of 1 and multiplied with every pixel
    count
};
/// The kinds before `function` make up the first networks. From here on every second block is one of the others.
inline constexpr int first_with_functions = 22;
inline constexpr int function_networks = 4;
enum class function { sigmoid, hard_sigmoid, hard_swish, leaky_relu, count };

enum class head { classifier, flat, hidden, convolutional, norm, none, count };

/// One block as it was drawn.
struct block_choice {
    block kind{};
    statiq::layer_spec first{};
    statiq::layer_spec second{};
    statiq::layer_spec norm{};
    bool has_norm = false;
    int act = 0; ///< none, ReLU, ReLU6, clamp to [-1, 1]
    function applied{};
};

/// A window that fits: padding smaller than its reach, so that every position sees the image.
constexpr void draw_window(draws& draw, statiq::layer_spec& spec, const statiq::extents& in) {
    const auto axis = [&](int size, int& kernel, int& stride, int& dilation, int& before, int& after) {
        kernel = draw(1, 5);
        stride = draw(1, 3);
        dilation = spec.is<statiq::operations::convolution>() && draw.one_in(4) ? 2 : 1;
        if ((kernel - 1) * dilation + 1 > size) {
            kernel = std::min(kernel, size);
            dilation = 1;
        }
        before = draw(0, (kernel - 1) * dilation);
        after = draw(0, (kernel - 1) * dilation);
    };
    axis(in.height, spec.kernel_height, spec.stride_height, spec.dilation_height, spec.pad_top, spec.pad_bottom);
    axis(in.width, spec.kernel_width, spec.stride_width, spec.dilation_width, spec.pad_left, spec.pad_right);
    spec.padding = static_cast<statiq::padding_rule>(draw(0, 2));
    if (spec.padding != statiq::padding_rule::sides)
        spec.pad_top = spec.pad_bottom = spec.pad_left = spec.pad_right = 0;
}

constexpr block_choice draw_block(int seed, int step, const statiq::extents& in) {
    draws draw(seed * 16 + step);
    const bool functions = seed >= first_with_functions && step % 2 == 1;
    block_choice choice{
        .kind =
            static_cast<block>(functions ? draw(static_cast<int>(block::function), static_cast<int>(block::count) - 1)
                                         : draw(0, static_cast<int>(block::function) - 1)),
        .first = {.facts = &statiq::facts_of<statiq::operations::convolution>, .out_channels = draw(2, 11)},
        .second = {.facts = &statiq::facts_of<statiq::operations::convolution>, .out_channels = in.channels},
        .norm = {.facts = &statiq::facts_of<statiq::operations::batch_norm>,
                 .epsilon = draw.one_in(2) ? 1e-3F : 1e-5F}};
    choice.has_norm = !draw.one_in(3);
    choice.act = draw.one_in(8) ? 3 : draw(0, 2);
    statiq::layer_spec& first = choice.first;
    first.bias = draw.one_in(4) ? statiq::bias_rule::always : statiq::bias_rule::unless_batch_norm_follows;
    const int bounded_kernel = draw.one_in(2) ? 3 : 1;
    switch (choice.kind) {
    case block::convolution:
        draw_window(draw, first, in);
        break;
    case block::grouped:
        first.groups = in.channels % 3 == 0 ? 3 : (in.channels % 2 == 0 ? 2 : in.channels);
        first.out_channels = first.groups * draw(1, 3);
        draw_window(draw, first, in);
        break;
    case block::depthwise:
        first.depthwise = true;
        first.out_channels = in.channels <= 6 ? draw(1, 2) : 1;
        draw_window(draw, first, in);
        break;
    case block::residual:
    case block::inception:
        first.kernel_height = first.kernel_width = 3;
        choice.second.kernel_height = choice.second.kernel_width = bounded_kernel;
        break;
    case block::repvgg:
        first.kernel_height = first.kernel_width = 3;
        first.out_channels = in.channels;
        break;
    case block::pool:
        first = {.facts = draw.one_in(2) ? &statiq::facts_of<statiq::operations::max_pool>
                                         : &statiq::facts_of<statiq::operations::average_pool>};
        draw_window(draw, first, in);
        break;
    case block::shared_norm:
        first.kernel_height = first.kernel_width = bounded_kernel;
        break;
    case block::function:
    case block::gated:
        choice.applied = static_cast<function>(draw(0, static_cast<int>(function::count) - 1));
        break;
    default:
        break;
    }
    return choice;
}

template <int Act>
constexpr auto activation_part() {
    if constexpr (Act == 0)
        return statiq::identity;
    else if constexpr (Act == 1)
        return statiq::relu;
    else if constexpr (Act == 2)
        return statiq::relu6;
    else
        return statiq::relu_n1_to_1;
}
template <function Applied>
constexpr auto function_part() {
    if constexpr (Applied == function::sigmoid)
        return statiq::sigmoid;
    else if constexpr (Applied == function::hard_sigmoid)
        return statiq::hard_sigmoid;
    else if constexpr (Applied == function::hard_swish)
        return statiq::hard_swish;
    else
        return statiq::leaky_relu<0.125>;
}
template <bool Present, statiq::layer_spec Spec>
constexpr auto optional_part() {
    if constexpr (Present)
        return statiq::layer_from<Spec>;
    else
        return statiq::identity;
}

template <int Seed, int Step, statiq::extents In>
constexpr auto random_block() {
    constexpr block_choice choice = draw_block(Seed, Step, In);
    constexpr auto first = statiq::layer_from<choice.first>;
    constexpr auto second = statiq::layer_from<choice.second>;
    constexpr auto norm = statiq::layer_from<choice.norm>;
    constexpr auto maybe_norm = optional_part<choice.has_norm, choice.norm>();
    constexpr auto act = activation_part<choice.act>();
    if constexpr (choice.kind == block::residual)
        return statiq::add(first | norm | statiq::relu | second | maybe_norm, statiq::identity) | act;
    else if constexpr (choice.kind == block::repvgg)
        return statiq::add(first | norm, second | norm, norm) | act;
    else if constexpr (choice.kind == block::inception)
        return statiq::concat(first | maybe_norm | act,
                              statiq::max_pool(statiq::kernel<3>, statiq::stride<1>, statiq::same),
                              second | norm | statiq::relu);
    else if constexpr (choice.kind == block::pool)
        return first | act;
    else if constexpr (choice.kind == block::lone_norm)
        return statiq::relu | norm | act;
    else if constexpr (choice.kind == block::rearranged)
        return statiq::pad<1, 0, 0, 2> | statiq::transpose<1, 0, 2> | act;
    else if constexpr (choice.kind == block::excitation)
        return statiq::add(statiq::global_average_pool | second | act |
                               statiq::broadcast<In.height, In.width, In.channels>,
                           statiq::convert) |
               norm;
    else if constexpr (choice.kind == block::function)
        return first | maybe_norm | function_part<choice.applied>();
    else if constexpr (choice.kind == block::gated)
        return statiq::multiply(statiq::identity,
                                statiq::global_average_pool | second | function_part<choice.applied>()) |
               act;
    else if constexpr (choice.kind == block::shared_norm)
        return first | statiq::add(norm, statiq::identity) | act;
    else
        return first | maybe_norm | act;
}

template <int Seed, bool ByteSoftmax>
constexpr auto random_head() {
    using namespace statiq;
    // A softmax by table reads bytes only.
    constexpr auto probabilities = [](auto plain) {
        if constexpr (ByteSoftmax)
            return with<quantized<8>, quantized<8, asymmetric>>(softmax);
        else
            return plain;
    };
    constexpr auto kind = static_cast<head>(draws(Seed + 7000)(0, static_cast<int>(head::count) - 1));
    if constexpr (kind == head::classifier)
        return global_average_pool | dense<10> | probabilities(softmax);
    else if constexpr (kind == head::flat)
        return flatten | dense<7>;
    else if constexpr (kind == head::hidden)
        return global_average_pool | dense<13> | relu | dense<5>(without_bias);
    else if constexpr (kind == head::convolutional)
        return conv<6> | relu6 | global_average_pool;
    else if constexpr (kind == head::norm)
        return flatten | dense<9> | batch_norm | relu6 | dense<4> | probabilities(table_softmax);
    else
        return identity;
}

inline constexpr int random_blocks = 4;

template <int Seed, bool ByteSoftmax, int Step, class Body>
constexpr auto grow(const Body& body) {
    if constexpr (Step == random_blocks) {
        return body | random_head<Seed, ByteSoftmax>();
    } else {
        constexpr statiq::extents now = statiq::output_extents<statiq::network<Body>>;
        return grow<Seed, ByteSoftmax, Step + 1>(body | random_block<Seed, Step, now>());
    }
}

template <int Seed, bool ByteSoftmax>
constexpr auto random_body() {
    constexpr statiq::extents in = [] {
        draws draw(Seed + 5000);
        return statiq::extents{draw(7, 13), draw(7, 13), draw(1, 5)};
    }();
    return grow<Seed, ByteSoftmax, 0>(statiq::input<in.height, in.width, in.channels> | statiq::identity);
}

/// Member `Seed` of the family.
/// @tparam ByteSoftmax its softmax, if any, is one of 8 bits whatever the numbers of the other layers.
template <int Seed, bool ByteSoftmax = false>
struct random_network final : statiq::network<decltype(random_body<Seed, ByteSoftmax>())> {};

/// How many members the tests look at; together they hold every kind of block, padding, stride, head: see
/// execute/float_network_test.cpp.
inline constexpr int random_networks = 16;

/// visit.operator()<random_network<First>>() and so on up to Last - 1.
template <int First = 0, int Last = random_networks, bool ByteSoftmax = false, class Visit>
void for_each_random_network(Visit&& visit) {
    [&]<int... I>(std::integer_sequence<int, I...>) {
        (visit.template operator()<random_network<First + I, ByteSoftmax>>(), ...);
    }
    (std::make_integer_sequence<int, Last - First>{});
}

} // namespace support
