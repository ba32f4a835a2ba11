// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/io/dtype.hpp>
#include <statiq/io/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace statiq::io {

namespace detail {

/// Elements of a tensor of that shape (1 for the empty shape). Empty when an extent is negative or when the extents
/// other than 0, multiplied in any order, leave std::int64_t: such a shape is refused even if another extent is 0.
[[nodiscard]] constexpr std::optional<std::int64_t> element_count(std::span<const std::int64_t> shape) {
    std::int64_t product = 1;
    bool empty = false;
    for (const std::int64_t extent : shape) {
        if (extent < 0) return std::nullopt;
        if (extent == 0) {
            empty = true;
        } else {
            if (product > (std::numeric_limits<std::int64_t>::max)() / extent) return std::nullopt;
            product *= extent;
        }
    }
    return empty ? 0 : product;
}

/// "[2, 3]"; only the first extents of an absurdly long shape.
[[nodiscard]] inline std::string shape_text(std::span<const std::int64_t> shape) {
    constexpr std::size_t longest = 16;
    std::string text = "[";
    for (std::size_t i = 0; i < (std::min)(shape.size(), longest); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return text + (shape.size() > longest ? ", ...]" : "]");
}

/// " at [1, 0, 2]": where an element of a tensor of that shape stands, counted in C order; nothing for a scalar.
[[nodiscard]] inline std::string at_index(std::size_t element, std::span<const std::int64_t> shape) {
    std::vector<std::int64_t> place(shape.size());
    for (std::size_t axis = shape.size(); axis-- > 0;) {
        const auto extent = static_cast<std::size_t>(shape[axis]);
        place[axis] = static_cast<std::int64_t>(element % extent);
        element /= extent;
    }
    return shape.empty() ? "" : " at " + shape_text(place);
}

} // namespace detail

/// One tensor inside a file that was read: row-major (C order), little endian, the data aligned to the element's size.
/// It refers into the object that holds the file, and lives no longer than that stays in place.
struct tensor_view {
    std::string_view file; ///< for messages
    std::string_view name; ///< as stored; empty where the format has no names
    io::dtype dtype;
    std::span<const std::int64_t> shape; ///< [] for a scalar
    std::span<const std::byte> bytes;

    /// The elements.
    /// @throws format_error when the tensor does not store T
    template <class T>
    [[nodiscard]] std::span<const T> values() const {
        if (!reads<T>(dtype)) throw format_error(file, name, io::name(dtype_of<T>), io::name(dtype));
        if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(T) != 0 || bytes.size() % sizeof(T) != 0)
            throw format_error(file, name, "whole elements at an aligned address", "a view of other bytes");
        return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
    }

    /// This tensor, once it is known to have that type and shape.
    /// @throws format_error when it does not
    const tensor_view& require(io::dtype expected, std::span<const std::int64_t> expected_shape) const {
        if (dtype != expected || !std::ranges::equal(shape, expected_shape))
            throw format_error(file, name, std::string(io::name(expected)) + detail::shape_text(expected_shape),
                               std::string(io::name(dtype)) + detail::shape_text(shape));
        return *this;
    }
    const tensor_view& require(io::dtype expected, std::initializer_list<std::int64_t> expected_shape) const {
        return require(expected, std::span(expected_shape.begin(), expected_shape.size()));
    }
};

/// The elements of a floating-point tensor as float: F32, F16 and BF16 exactly, F64 rounded to nearest.
/// @throws format_error when the tensor stores integers
[[nodiscard]] inline std::vector<float> to_floats(const tensor_view& tensor) {
    std::vector<float> result;
    const auto convert = [&result](const auto values) {
        result.reserve(values.size());
        for (const auto value : values) result.push_back(static_cast<float>(value));
    };
    switch (tensor.dtype) {
    case dtype::f64:
        convert(tensor.values<double>());
        break;
    case dtype::f32:
        convert(tensor.values<float>());
        break;
    case dtype::f16:
        convert(tensor.values<float16>());
        break;
    case dtype::bf16:
        convert(tensor.values<bfloat16>());
        break;
    default:
        throw format_error(tensor.file, tensor.name, "F64, F32, F16 or BF16", name(tensor.dtype));
    }
    return result;
}

} // namespace statiq::io
