// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/io/tensor_view.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// Checks of stored reals by their bits. A comparison of floats would not do: -ffast-math lets compilers assume that
/// there is no NaN and no infinity, and take subnormal numbers for zero.
namespace statiq::io::detail {

/// Which reals a tensor may hold.
enum class reals : std::uint8_t { finite, not_negative, positive };

[[nodiscard]] constexpr std::string_view to_string(reals allowed) {
    constexpr std::string_view names[] = {"finite numbers", "finite numbers of at least 0", "positive finite numbers"};
    return names[static_cast<std::size_t>(allowed)];
}

/// The bits of a type's infinity, and of its least magnitude that no finite float holds, which differ for doubles: half
/// a unit beyond the greatest float rounds to infinity.
struct real_limits {
    std::uint64_t infinity;
    std::uint64_t beyond_float;
};
[[nodiscard]] constexpr real_limits limits_of(dtype type) {
    switch (type) {
    case dtype::f64:
        return {0x7FF0'0000'0000'0000, 0x47EF'FFFF'F000'0000};
    case dtype::f32:
        return {0x7F80'0000, 0x7F80'0000};
    case dtype::f16:
        return {0x7C00, 0x7C00};
    case dtype::bf16:
        return {0x7F80, 0x7F80};
    default:
        return {0, 0}; // integers
    }
}

/// One stored real: its sign, and the bits of its magnitude.
struct real_bits {
    std::uint64_t magnitude;
    bool negative;
};
template <std::size_t Size>
[[nodiscard]] real_bits real_at(std::span<const std::byte> bytes, std::size_t index) {
    constexpr std::uint64_t sign = std::uint64_t{1} << (8 * Size - 1);
    std::uint64_t stored = 0;
    std::memcpy(&stored, bytes.data() + index * Size, Size); // little endian, see dtype.hpp
    return {stored & ~sign, (stored & sign) != 0};
}

/// The first element that is not allowed; empty when all are.
template <std::size_t Size>
[[nodiscard]] std::optional<std::size_t> first_excluded(const tensor_view& tensor, reals allowed) {
    const std::uint64_t limit = limits_of(tensor.dtype).beyond_float;
    for (std::size_t i = 0; i < tensor.bytes.size() / Size; ++i) {
        const real_bits x = real_at<Size>(tensor.bytes, i);
        const bool wrong_sign = (allowed != reals::finite && x.negative && x.magnitude != 0) ||
                                (allowed == reals::positive && x.magnitude == 0);
        if (x.magnitude >= limit || wrong_sign) return i;
    }
    return std::nullopt;
}

/// visit(std::integral_constant) with the element's size.
template <class Visit>
decltype(auto) with_real_size(dtype type, Visit&& visit) {
    switch (size_of(type)) {
    case 8:
        return visit(std::integral_constant<std::size_t, 8>{});
    case 4:
        return visit(std::integral_constant<std::size_t, 4>{});
    default:
        return visit(std::integral_constant<std::size_t, 2>{});
    }
}

/// The least text that reads back as the same number.
template <class T>
[[nodiscard]] std::string number_text(T value) {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// One element of a tensor of reals in words: "a NaN", "an infinity", "-0.5".
[[nodiscard]] inline std::string real_text(const tensor_view& tensor, std::size_t index) {
    const real_bits x = with_real_size(tensor.dtype, [&](auto size) { return real_at<size>(tensor.bytes, index); });
    const real_limits limits = limits_of(tensor.dtype);
    if (x.magnitude > limits.infinity) return "a NaN";
    if (x.magnitude == limits.infinity) return x.negative ? "minus an infinity" : "an infinity";
    switch (tensor.dtype) {
    case dtype::f64:
        return number_text(tensor.values<double>()[index]) +
               (x.magnitude >= limits.beyond_float ? ", an infinity in float," : "");
    case dtype::f32:
        return number_text(tensor.values<float>()[index]);
    case dtype::f16:
        return number_text(static_cast<float>(tensor.values<float16>()[index]));
    default:
        return number_text(static_cast<float>(tensor.values<bfloat16>()[index]));
    }
}

/// A tensor of reals, once each of them is known to be allowed.
/// @throws format_error naming the first that is not, where it stands in the file, and its value
inline const tensor_view& require_reals(const tensor_view& tensor, reals allowed) {
    const auto found = with_real_size(tensor.dtype, [&](auto size) { return first_excluded<size>(tensor, allowed); });
    if (found)
        throw format_error(tensor.file, tensor.name, to_string(allowed),
                           real_text(tensor, *found) + at_index(*found, tensor.shape));
    return tensor;
}
/// The same for numbers in memory that a file is to hold as F32.
inline void require_reals(std::string_view file, std::string_view name, std::span<const std::int64_t> shape,
                          std::span<const float> values, reals allowed) {
    require_reals({.file = file, .name = name, .dtype = dtype::f32, .shape = shape, .bytes = std::as_bytes(values)},
                  allowed);
}

} // namespace statiq::io::detail
