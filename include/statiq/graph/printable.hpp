// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace statiq::detail {

/// Bytes of the UTF-8 character that begins the text, 0 when none does (overlong forms and surrogates are none).
[[nodiscard]] constexpr std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    };
    const auto in = [](unsigned value, unsigned lowest, unsigned highest) {
        return value >= lowest && value <= highest;
    };
    const unsigned first = byte(0);
    if (text.empty() || first < 0x80) return text.empty() ? 0 : 1;
    if (in(first, 0xC2, 0xDF)) return in(byte(1), 0x80, 0xBF) ? 2 : 0;
    if (in(first, 0xE0, 0xEF)) {
        const bool second = in(byte(1), first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
        return second && in(byte(2), 0x80, 0xBF) ? 3 : 0;
    }
    const bool second = in(byte(1), first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
    return in(first, 0xF0, 0xF4) && second && in(byte(2), 0x80, 0xBF) && in(byte(3), 0x80, 0xBF) ? 4 : 0;
}

/// A name or text from a file made fit for a message: in single quotes, control characters and bytes that are not UTF-8
/// as \xNN, cut after about `longest` bytes. Files may hold any bytes, and a message must stay one readable line.
/// U+0080 to U+009F are control characters of terminals too, in two bytes.
[[nodiscard]] inline std::string printable(std::string_view text, std::size_t longest = 120) {
    constexpr std::string_view hex = "0123456789abcdef";
    std::string result = "'";
    for (std::size_t at = 0; at < text.size();) {
        if (at >= longest) return result + "...'";
        const std::size_t length = utf8_length(text.substr(at));
        const auto code = static_cast<unsigned char>(text[at]);
        const bool control = code < 0x20 || code == 0x7F ||
                             (code == 0xC2 && length == 2 && static_cast<unsigned char>(text[at + 1]) < 0xA0);
        if (length == 0 || control) {
            for (std::size_t end = at + (length == 0 ? 1 : length); at < end; ++at) {
                result += "\\x";
                result += hex[static_cast<unsigned char>(text[at]) >> 4];
                result += hex[static_cast<unsigned char>(text[at]) & 15];
            }
        } else {
            result += text.substr(at, length);
            at += length;
        }
    }
    return result + "'";
}

} // namespace statiq::detail
