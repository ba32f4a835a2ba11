// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/scratch.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <cstddef>

namespace statiq::kernels {

/// A copy of a small image of few channels, with its padding, in scratch memory. Without it most windows of such an
/// image would be copied one by one, because they are shorter than a step or cut by the border.
template <class In>
class padded_image {
  public:
    static constexpr std::size_t largest = 4096; ///< values

    /// Whether a convolution reads an image of this kind.
    /// @param inputs values that a step of the kernel reads.
    [[nodiscard]] static constexpr bool pays(const convolution_shape& shape, int inputs) noexcept {
        return shape.groups == 1 && shape.over.taps() > 1 && shape.in.channels < inputs &&
               padded(shape).in.size() <= largest;
    }

    /// Values that a convolution of this shape, or some of its rows, may copy.
    [[nodiscard]] static constexpr std::size_t most_values(const convolution_shape& shape, int inputs) noexcept {
        const bool may_pay = shape.groups == 1 && shape.over.taps() > 1 && shape.in.channels < inputs;
        return may_pay ? (std::min)(padded(shape).in.size(), largest) : 0;
    }

    padded_image(const In* input, const convolution_shape& shape, In padding, scratch_memory& scratch) noexcept
        : shape_(padded(shape)), values_(scratch.take<In>(shape_.in.size())) {
        const auto [in, out, over, groups] = shape;
        const int top = (std::min)(over.pad_top, shape_.in.height), left = (std::min)(over.pad_left, shape_.in.width);
        const int rows = std::clamp(in.height, 0, shape_.in.height - top);
        const int columns = std::clamp(in.width, 0, shape_.in.width - left);
        std::fill_n(values_, shape_.in.size(), padding);
        for (int row = 0; row < rows; ++row)
            std::copy_n(input + static_cast<std::ptrdiff_t>(row) * in.width * in.channels, columns * in.channels,
                        values_ + (static_cast<std::ptrdiff_t>(top + row) * shape_.in.width + left) * in.channels);
    }

    [[nodiscard]] const In* values() const noexcept { return values_; }
    /// The convolution on the copy: no window is cut.
    [[nodiscard]] const convolution_shape& shape() const noexcept { return shape_; }

  private:
    static constexpr convolution_shape padded(convolution_shape shape) noexcept {
        window& over = shape.over;
        shape.in.height =
            (shape.out.height - 1) * over.stride_height + (over.kernel_height - 1) * over.dilation_height + 1;
        shape.in.width = (shape.out.width - 1) * over.stride_width + (over.kernel_width - 1) * over.dilation_width + 1;
        over.pad_top = over.pad_left = 0;
        return shape;
    }

    convolution_shape shape_;
    In* values_;
};

} // namespace statiq::kernels
