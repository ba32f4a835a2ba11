// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/number.hpp>
#include <statiq/tensor/weight_walk.hpp>
#include <statiq/tensor/window.hpp>

#include <cstddef>

namespace statiq::detail {

/// The affine maps of a layer's weights: one for each output channel, or one for each group of a channel's weights,
/// which are counted tap by tap.
class weight_maps {
  public:
    constexpr weight_maps(const convolution_shape& shape, const number_format& format) noexcept
        : inputs_(shape.in_channels_per_group()), size_(format.per == granularity::group ? format.group : 0),
          groups_(group_of(shape.over.taps() - 1, inputs_ - 1) + 1),
          count_(static_cast<std::size_t>(shape.out.channels) * groups_) {}

    [[nodiscard]] constexpr std::size_t count() const noexcept { return count_; }
    /// Which map a weight has.
    [[nodiscard]] constexpr std::size_t operator()(const weight_place& w) const noexcept {
        return w.channel() * groups_ + group_of(w.tap, w.input);
    }

  private:
    [[nodiscard]] constexpr std::size_t group_of(int tap, int input) const noexcept {
        return size_ == 0 ? 0 : static_cast<std::size_t>((tap * inputs_ + input) / size_);
    }

    int inputs_;
    int size_; ///< of a group; 0: a channel is one
    std::size_t groups_;
    std::size_t count_;
};

} // namespace statiq::detail
