// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>

#include <array>
#include <cstdint>
#include <type_traits>

namespace statiq {

enum class padding_rule : std::uint8_t { valid, same, sides };
enum class bias_rule : std::uint8_t { unless_batch_norm_follows, always, never };

/// A layer as its user wrote it, before shapes are known.
struct layer_spec {
    operation kind = operation::input;
    bool depthwise = false;
    int out_channels = 0; ///< for depthwise: output channels per input channel
    int kernel_height = 1;
    int kernel_width = 1;
    int stride_height = 1;
    int stride_width = 1;
    int dilation_height = 1;
    int dilation_width = 1;
    padding_rule padding = padding_rule::same;
    int pad_top = 0;
    int pad_bottom = 0;
    int pad_left = 0;
    int pad_right = 0;
    int groups = 1;
    bias_rule bias = bias_rule::unless_batch_norm_follows;
    float epsilon = 1e-3F;
    extents shape{};                  ///< of an input, a reshape or a broadcast; all zero: flat
    std::array<int, 3> axes{0, 1, 2}; ///< of a transpose
    int rows = 1;                     ///< of an upsampling: how often each pixel is repeated downwards
    int columns = 1;                  ///< and to the right
    bool by_table = false;            ///< of a softmax

    [[nodiscard]] constexpr bool is_pool() const {
        return kind == operation::max_pool || kind == operation::average_pool;
    }
    [[nodiscard]] constexpr bool has_window() const { return kind == operation::convolution || is_pool(); }
    [[nodiscard]] constexpr bool is_linear() const {
        return kind == operation::convolution || kind == operation::dense;
    }
    /// Whether `shape` is the user's.
    [[nodiscard]] constexpr bool has_shape() const {
        return kind == operation::input || kind == operation::broadcast ||
               (kind == operation::reshape && shape != extents{0, 0, 0});
    }
    [[nodiscard]] constexpr bool permutes_axes() const {
        const auto names = [this](int axis) { return axes[0] == axis || axes[1] == axis || axes[2] == axis; };
        return names(0) && names(1) && names(2);
    }
    friend constexpr bool operator==(const layer_spec&, const layer_spec&) = default;
};

/// A layer of a graph: an empty value whose type carries its specification. Calling it with options refines it:
/// `conv<8>(kernel<3>, stride<2>)`.
template <layer_spec Spec>
struct layer {
    static_assert(!Spec.has_shape() || (Spec.shape.height >= 1 && Spec.shape.width >= 1 && Spec.shape.channels >= 1),
                  "statiq: a shape has at least one row, one column and one channel");
    static_assert(!Spec.is_linear() || Spec.out_channels >= 1, "statiq: a layer has at least one output channel");
    static_assert(Spec.pad_top >= 0 && Spec.pad_bottom >= 0 && Spec.pad_left >= 0 && Spec.pad_right >= 0,
                  "statiq: padding is not negative");
    static_assert(Spec.rows >= 1 && Spec.columns >= 1, "statiq: an upsampling repeats a pixel at least once");
    static_assert(Spec.permutes_axes(), "statiq: transpose names each of the axes 0, 1 and 2 once");
    static constexpr layer_spec spec = Spec;
    static constexpr std::size_t size = 1; ///< nodes it adds to a graph

    template <class... Options>
    constexpr auto operator()(Options...) const {
        static_assert((Options::fits(Spec) && ...), "statiq: an option does not apply to this kind of layer");
        constexpr layer_spec refined = [] {
            layer_spec spec_so_far = Spec;
            (Options::apply(spec_so_far), ...);
            return spec_so_far;
        }();
        return layer<refined>{};
    }
};

// ---- options -------------------------------------------------------------------------------------------------

namespace detail {

template <int Height, int Width>
struct kernel_option {
    static_assert(Height >= 1 && Width >= 1, "statiq: a kernel has at least one row and one column");
    static constexpr bool fits(const layer_spec& s) { return s.has_window(); }
    static constexpr void apply(layer_spec& s) {
        s.kernel_height = Height;
        s.kernel_width = Width;
    }
};
template <int Height, int Width>
struct stride_option {
    static_assert(Height >= 1 && Width >= 1, "statiq: a stride is at least 1");
    static constexpr bool fits(const layer_spec& s) { return s.has_window(); }
    static constexpr void apply(layer_spec& s) {
        s.stride_height = Height;
        s.stride_width = Width;
    }
};
template <int Height, int Width>
struct dilation_option {
    static_assert(Height >= 1 && Width >= 1, "statiq: a dilation is at least 1");
    static constexpr bool fits(const layer_spec& s) { return s.kind == operation::convolution; }
    static constexpr void apply(layer_spec& s) {
        s.dilation_height = Height;
        s.dilation_width = Width;
    }
};
template <padding_rule Rule, int Top = 0, int Bottom = 0, int Left = 0, int Right = 0>
struct padding_option {
    static constexpr bool fits(const layer_spec& s) { return s.has_window(); }
    static constexpr void apply(layer_spec& s) {
        s.padding = Rule;
        s.pad_top = Top;
        s.pad_bottom = Bottom;
        s.pad_left = Left;
        s.pad_right = Right;
    }
};
template <int Groups>
struct groups_option {
    static_assert(Groups >= 1, "statiq: there is at least one group");
    static constexpr bool fits(const layer_spec& s) { return s.kind == operation::convolution && !s.depthwise; }
    static constexpr void apply(layer_spec& s) { s.groups = Groups; }
};
template <bias_rule Rule>
struct bias_option {
    static constexpr bool fits(const layer_spec& s) {
        return s.kind == operation::convolution || s.kind == operation::dense;
    }
    static constexpr void apply(layer_spec& s) { s.bias = Rule; }
};
/// A real number as a template argument (Clang has none of type float before release 18).
struct real {
    float value;
    consteval real(double number) : value(static_cast<float>(number)) {} // implicit: epsilon<1e-5>
};
template <real Epsilon>
struct epsilon_option {
    static_assert(Epsilon.value > 0, "statiq: batch norm's epsilon is positive");
    static constexpr bool fits(const layer_spec& s) { return s.kind == operation::batch_norm; }
    static constexpr void apply(layer_spec& s) { s.epsilon = Epsilon.value; }
};

} // namespace detail

/// Window size: `kernel<3>` is 3 x 3, `kernel<1, 5>` one row of five columns.
template <int Height, int Width = Height>
inline constexpr detail::kernel_option<Height, Width> kernel{};
template <int Height, int Width = Height>
inline constexpr detail::stride_option<Height, Width> stride{};
template <int Height, int Width = Height>
inline constexpr detail::dilation_option<Height, Width> dilation{};
/// TensorFlow's 'same': output extent ceil(in / stride); an odd total puts the extra row or column at the bottom or
/// right. At stride 1 this is PyTorch's padding='same' too.
inline constexpr detail::padding_option<padding_rule::same> same{};
/// No padding: the window stays inside the image.
inline constexpr detail::padding_option<padding_rule::valid> valid{};
/// Explicit padding: PyTorch's `padding=p` is `padding<p>` (all round), `padding=(h, w)` is `padding<h, w>`.
template <int Vertical, int Horizontal = Vertical>
inline constexpr detail::padding_option<padding_rule::sides, Vertical, Vertical, Horizontal, Horizontal> padding{};
/// Explicit padding of each side.
template <int Top, int Bottom, int Left, int Right>
inline constexpr detail::padding_option<padding_rule::sides, Top, Bottom, Left, Right> padding_sides{};
/// Grouped convolution: output channels of a group see that group's input channels only.
template <int Groups>
inline constexpr detail::groups_option<Groups> groups{};
/// A bias even where batch norm follows. (By default a layer has a bias unless batch norm is all that reads it.)
inline constexpr detail::bias_option<bias_rule::always> with_bias{};
inline constexpr detail::bias_option<bias_rule::never> without_bias{};
/// Batch norm's epsilon; 1e-3 unless given (TensorFlow's; PyTorch's is 1e-5).
template <detail::real Epsilon>
inline constexpr detail::epsilon_option<Epsilon> epsilon{};

// ---- layers --------------------------------------------------------------------------------------------------

/// The network's input, height x width x channels.
template <int Height, int Width, int Channels>
inline constexpr layer<layer_spec{.kind = operation::input, .shape = {Height, Width, Channels}}> input{};

/// Convolution to `OutChannels`; options kernel, stride, same (default) | valid | padding, dilation, groups, bias.
template <int OutChannels>
inline constexpr layer<layer_spec{.kind = operation::convolution, .out_channels = OutChannels}> conv{};
/// 1 x 1 convolution.
template <int OutChannels>
inline constexpr layer<layer_spec{.kind = operation::convolution, .out_channels = OutChannels}> pointwise{};
/// Depthwise convolution, 3 x 3 unless told, with `Multiplier` output channels per input channel: output channel
/// i * Multiplier + m reads input channel i.
template <int Multiplier>
inline constexpr layer<layer_spec{.kind = operation::convolution,
                                  .depthwise = true,
                                  .out_channels = Multiplier,
                                  .kernel_height = 3,
                                  .kernel_width = 3}>
    depthwise_multiplied{};
inline constexpr auto depthwise = depthwise_multiplied<1>;

/// Fully connected, on a flat (1 x 1 x n) tensor.
template <int OutChannels>
inline constexpr layer<layer_spec{.kind = operation::dense, .out_channels = OutChannels}> dense{};

inline constexpr layer<layer_spec{.kind = operation::batch_norm}> batch_norm{};
inline constexpr layer<layer_spec{.kind = operation::relu}> relu{};
inline constexpr layer<layer_spec{.kind = operation::relu6}> relu6{};
inline constexpr layer<layer_spec{.kind = operation::relu_n1_to_1}> relu_n1_to_1{};

/// Pools, 2 x 2 unless told; the stride is the kernel unless told; no padding unless told. An average pool divides by
/// the number of taps inside the image (TensorFlow's rule; PyTorch's with count_include_pad=False).
inline constexpr layer<layer_spec{.kind = operation::max_pool,
                                  .kernel_height = 2,
                                  .kernel_width = 2,
                                  .stride_height = 0,
                                  .stride_width = 0,
                                  .padding = padding_rule::valid}>
    max_pool{};
inline constexpr layer<layer_spec{.kind = operation::average_pool,
                                  .kernel_height = 2,
                                  .kernel_width = 2,
                                  .stride_height = 0,
                                  .stride_width = 0,
                                  .padding = padding_rule::valid}>
    average_pool{};
/// Mean over all pixels: 1 x 1 x channels.
inline constexpr layer<layer_spec{.kind = operation::global_average_pool}> global_average_pool{};
/// The same values in another shape; HWC order is kept and no data moves.
template <int Height, int Width, int Channels>
inline constexpr layer<layer_spec{.kind = operation::reshape, .shape = {Height, Width, Channels}}> reshape{};
/// 1 x 1 x everything, in HWC order.
inline constexpr layer<layer_spec{.kind = operation::reshape, .shape = {0, 0, 0}}> flatten{};
/// Axes in another order (0 height, 1 width, 2 channels): output axis i is input axis A, B, C. An image stored
/// channel first and written down as input<C, H, W> becomes HWC by transpose<1, 2, 0>.
template <int A, int B, int C>
inline constexpr layer<layer_spec{.kind = operation::transpose, .axes = {A, B, C}}> transpose{};
/// Rows and columns of zeros around the image.
template <int Top, int Bottom, int Left, int Right>
inline constexpr layer<layer_spec{.kind = operation::pad,
                                  .padding = padding_rule::sides,
                                  .pad_top = Top,
                                  .pad_bottom = Bottom,
                                  .pad_left = Left,
                                  .pad_right = Right}>
    pad{};
/// Repeated along every axis on which its extent is 1, to these extents: how a vector of channels is added to an image,
/// `add(a, b | broadcast<H, W, C>)`. Sums do not broadcast by themselves, because that hides mistakes.
template <int Height, int Width, int Channels>
inline constexpr layer<layer_spec{.kind = operation::broadcast, .shape = {Height, Width, Channels}}> broadcast{};
/// Each pixel repeated `Rows` times downwards and `Columns` times to the right: the nearest neighbour in a larger
/// image.
template <int Rows, int Columns = Rows>
inline constexpr layer<layer_spec{.kind = operation::upsample, .rows = Rows, .columns = Columns}> upsample{};
/// The same values in other numbers: those of the `with<...>` around it.
inline constexpr layer<layer_spec{.kind = operation::convert}> convert{};
/// Over the channels of a flat tensor. In integers: TensorFlow Lite's fixed-point definition.
inline constexpr layer<layer_spec{.kind = operation::softmax}> softmax{};
/// The same in real numbers; in integers by a table of 256 exponentials, as TensorFlow Lite does on general processors.
/// The two differ by one step in some elements.
inline constexpr layer<layer_spec{.kind = operation::softmax, .by_table = true}> table_softmax{};

} // namespace statiq
