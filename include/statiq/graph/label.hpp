// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <cstddef>
#include <string_view>

namespace statiq {

/// A layer's name as a compile-time value, usable as a template argument: `named<"stem">(...)`. Names join with dots
/// along nested labels, as in "block0.conv1x1". A name has at most 46 characters: one more, and the label is full,
/// which says that something may have been cut off.
struct label {
    static constexpr std::size_t capacity = 47;
    char text[capacity + 1]{};

    constexpr label() = default;
    template <std::size_t Size>
    consteval label(const char (&literal)[Size]) { // implicit: a string literal is a label
        static_assert(Size <= capacity, "statiq: a label holds at most 46 characters");
        for (std::size_t i = 0; i < Size; ++i) text[i] = literal[i];
    }

    [[nodiscard]] constexpr std::size_t size() const noexcept {
        std::size_t length = 0;
        while (length < capacity && text[length] != '\0') ++length;
        return length;
    }
    [[nodiscard]] constexpr bool empty() const noexcept { return text[0] == '\0'; }
    [[nodiscard]] constexpr bool full() const noexcept { return size() == capacity; }
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {text, size()}; }
    friend constexpr bool operator==(const label&, const label&) = default;

    /// Whether this is the scope's own name or a name inside it: "block" and "block.conv" are in "block". All names
    /// are in the scope without a name.
    [[nodiscard]] constexpr bool is_in(const label& scope) const noexcept {
        const std::size_t length = scope.size();
        return view().starts_with(scope.view()) && (length == 0 || text[length] == '.' || text[length] == '\0');
    }

    /// Appends; characters past the capacity are dropped.
    [[nodiscard]] constexpr label operator+(std::string_view tail) const {
        label joined = *this;
        std::size_t end = joined.size();
        for (const char c : tail) {
            if (end == capacity) break;
            joined.text[end++] = c;
        }
        return joined;
    }
    /// Appends a decimal number: label("dw") + 13 is "dw13".
    [[nodiscard]] constexpr label operator+(int number) const {
        label joined = number >= 10 ? *this + number / 10 : *this;
        const char digit[1] = {static_cast<char>('0' + number % 10)};
        return joined + std::string_view(digit, 1);
    }
    /// "outer" / "inner" is "outer.inner"; an empty side leaves the other.
    [[nodiscard]] constexpr label operator/(const label& inner) const {
        if (empty()) return inner;
        return inner.empty() ? *this : *this + std::string_view(".") + inner.view();
    }
};

} // namespace statiq
