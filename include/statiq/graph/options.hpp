// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer_spec.hpp>

#include <bit>
#include <cstdint>
#include <type_traits>

namespace statiq {

namespace detail {

/// What an option decides. A layer's parentheses decide each thing once.
enum class choice : std::uint8_t { kernel, stride, dilation, padding, groups, bias, epsilon };

// Each option has `decides`, `fits` (whether a kind of layer takes it) and `apply`. Its own rule stands last: Clang
// leaves out what follows a failed one, and would complain of that, too.

template <int Height, int Width>
struct kernel_option {
    static constexpr choice decides = choice::kernel;
    static constexpr bool fits(const layer_spec& s) { return s.has_window(); }
    static constexpr void apply(layer_spec& s) {
        s.kernel_height = Height;
        s.kernel_width = Width;
    }
    static_assert(Height >= 1 && Width >= 1, "statiq: a kernel has at least one row and one column");
};
template <int Height, int Width>
struct stride_option {
    static constexpr choice decides = choice::stride;
    static constexpr bool fits(const layer_spec& s) { return s.has_window(); }
    static constexpr void apply(layer_spec& s) {
        s.stride_height = Height;
        s.stride_width = Width;
    }
    static_assert(Height >= 1 && Width >= 1, "statiq: a stride is at least 1");
};
template <int Height, int Width>
struct dilation_option {
    static constexpr choice decides = choice::dilation;
    static constexpr bool fits(const layer_spec& s) { return s.is_convolution(); }
    static constexpr void apply(layer_spec& s) {
        s.dilation_height = Height;
        s.dilation_width = Width;
    }
    static_assert(Height >= 1 && Width >= 1, "statiq: a dilation is at least 1");
};
template <padding_rule Rule, int Top = 0, int Bottom = 0, int Left = 0, int Right = 0>
struct padding_option {
    static constexpr choice decides = choice::padding;
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
    static constexpr choice decides = choice::groups;
    static constexpr bool fits(const layer_spec& s) { return s.is_convolution() && !s.depthwise; }
    static constexpr void apply(layer_spec& s) { s.groups = Groups; }
    static_assert(Groups >= 1, "statiq: there is at least one group");
};
template <bias_rule Rule>
struct bias_option {
    static constexpr choice decides = choice::bias;
    static constexpr bool fits(const layer_spec& s) { return s.is_linear(); }
    static constexpr void apply(layer_spec& s) { s.bias = Rule; }
};
/// A real number as a template argument (Clang has none of type float before release 18).
struct real {
    float value;
    consteval real(double number) : value(static_cast<float>(number)) {} // implicit: epsilon<1e-5>
};
template <real Epsilon>
struct epsilon_option {
    static constexpr choice decides = choice::epsilon;
    static constexpr bool fits(const layer_spec& s) { return s.normalizes(); }
    static constexpr void apply(layer_spec& s) { s.epsilon = Epsilon.value; }
    static_assert(Epsilon.value > 0, "statiq: batch norm's epsilon is positive");
};

template <class T>
concept layer_option = std::is_same_v<std::remove_cv_t<decltype(T::decides)>, choice>;

template <layer_option... Options>
constexpr bool decide_once() {
    unsigned decided = 0;
    ((decided |= 1U << static_cast<unsigned>(Options::decides)), ...);
    return std::popcount(decided) == static_cast<int>(sizeof...(Options));
}
/// Whether a layer whose word says that it is 1 x 1 is given another window.
template <layer_option... Options>
constexpr bool widens(const layer_spec& s) {
    return s.pointwise && ((Options::decides == choice::kernel) || ...);
}

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
/// Batch norm's epsilon; 1e-3 unless given (TensorFlow's; `with_defaults<pytorch>` makes it PyTorch's 1e-5).
template <detail::real Epsilon>
inline constexpr detail::epsilon_option<Epsilon> epsilon{};

} // namespace statiq
