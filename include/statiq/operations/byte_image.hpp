// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/shape_context.hpp>
#include <statiq/numeric/affine.hpp>

#include <cstdint>
#include <string_view>

namespace statiq::operations {

/// A network's input that is the bytes of an image: the real of a byte is its distance from ZeroPoint. The pass
/// `input_folded` puts it in the place of `input`.
template <int ZeroPoint>
struct byte_image {
    static constexpr std::string_view word = "bytes";
    static constexpr operation_traits traits{.source = true, .channels = channel_flow::made};
    static constexpr std::uint64_t fingerprint = std::uint64_t{ZeroPoint} + 1;

    static constexpr void shape(shape_context& c) { c.n.in = c.n.out = c.spec.shape; }
    static constexpr interval sums(const node&, const number_format&) { return {}; }
    static constexpr affine fixed_output(const number_format&) { return {1, ZeroPoint}; }
};

} // namespace statiq::operations
