// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/operations/pool.hpp>

#include <string_view>

namespace statiq {

namespace operations {

/// The greatest value in a window's part of the image.
struct max_pool : pool<max_pool> {
    static constexpr std::string_view word = "max_pool";
    static constexpr operation_traits traits{
        .windowed = true, .keeps_numbers = true, .homogeneous = true, .keeps_input = true};

    static constexpr void shape(shape_context& c) {
        detail::move_window(c);
        detail::require_image_in_windows(c);
    }
    static constexpr interval sums(const node&, const number_format&) { return {}; }

    static constexpr void by_definition(const auto& of) noexcept { kernels::reference::max_pool(of); }
    static constexpr void by_kernel(const auto& kernels, const auto& of) noexcept { kernels.max_pool(of); }
    static void back(const auto& of) { kernels::reference::max_pool_gradient(of); }
};

} // namespace operations

/// Maxima, 2 x 2 unless told; the stride is the kernel unless told; no padding unless told.
inline constexpr layer<vocabulary::pool<operations::max_pool>> max_pool{};

} // namespace statiq
