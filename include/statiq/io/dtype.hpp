// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/io/half.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace statiq::io {

static_assert(std::endian::native == std::endian::little,
              "statiq: safetensors and npy files are little endian and are read without conversion");

/// The element type of a stored tensor.
enum class dtype : std::uint8_t { f64, f32, f16, bf16, i64, u64, i32, u32, i16, u16, i8, u8, boolean };

namespace detail {
struct dtype_facts {
    std::string_view name; ///< as safetensors spells it
    std::size_t size;      ///< bytes of one element; its alignment too
};
inline constexpr std::array<dtype_facts, 13> dtypes{{{"F64", 8},
                                                     {"F32", 4},
                                                     {"F16", 2},
                                                     {"BF16", 2},
                                                     {"I64", 8},
                                                     {"U64", 8},
                                                     {"I32", 4},
                                                     {"U32", 4},
                                                     {"I16", 2},
                                                     {"U16", 2},
                                                     {"I8", 1},
                                                     {"U8", 1},
                                                     {"BOOL", 1}}};
} // namespace detail

/// The name safetensors gives the type: "F32", "I8", ...
[[nodiscard]] constexpr std::string_view name(dtype type) {
    return detail::dtypes[static_cast<std::size_t>(type)].name;
}

/// Bytes of one element.
[[nodiscard]] constexpr std::size_t size_of(dtype type) { return detail::dtypes[static_cast<std::size_t>(type)].size; }

/// The type of that safetensors name; empty for any other.
[[nodiscard]] constexpr std::optional<dtype> dtype_named(std::string_view text) {
    for (std::size_t i = 0; i < detail::dtypes.size(); ++i)
        if (detail::dtypes[i].name == text) return static_cast<dtype>(i);
    return std::nullopt;
}

namespace detail {
/// The names of all types that are read, for messages.
[[nodiscard]] inline std::string dtype_list() {
    std::string text;
    for (const dtype_facts& facts : dtypes) text.append(text.empty() ? "" : ", ").append(facts.name);
    return text;
}

template <class T>
[[nodiscard]] consteval dtype dtype_read_as() {
    constexpr auto is = []<class Other>(Other) { return std::is_same_v<T, Other>; };
    if constexpr (is(double{}))
        return dtype::f64;
    else if constexpr (is(float{}))
        return dtype::f32;
    else if constexpr (is(float16{}))
        return dtype::f16;
    else if constexpr (is(bfloat16{}))
        return dtype::bf16;
    else if constexpr (is(std::int64_t{}))
        return dtype::i64;
    else if constexpr (is(std::uint64_t{}))
        return dtype::u64;
    else if constexpr (is(std::int32_t{}))
        return dtype::i32;
    else if constexpr (is(std::uint32_t{}))
        return dtype::u32;
    else if constexpr (is(std::int16_t{}))
        return dtype::i16;
    else if constexpr (is(std::uint16_t{}))
        return dtype::u16;
    else if constexpr (is(std::int8_t{}))
        return dtype::i8;
    else {
        static_assert(is(std::uint8_t{}), "statiq: no stored element type is read as this C++ type");
        return dtype::u8;
    }
}
} // namespace detail

/// The dtype a C++ element type reads and writes. A stored BOOL is read as std::uint8_t (see `reads`): the formats do
/// not promise that its byte is 0 or 1, and a C++ bool of any other value is undefined.
template <class T>
inline constexpr dtype dtype_of = detail::dtype_read_as<T>();

/// Whether elements stored as `stored` may be read as T.
template <class T>
[[nodiscard]] constexpr bool reads(dtype stored) {
    return stored == dtype_of<T> || (stored == dtype::boolean && dtype_of<T> == dtype::u8);
}

} // namespace statiq::io
