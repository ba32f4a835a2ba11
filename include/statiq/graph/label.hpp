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
    char text[capacity]{};    ///< zeros behind the name, not at its end where it is full
    unsigned char length = 0; ///< stored, because compilers count the steps of a search for it

    constexpr label() = default;
    template <std::size_t Size>
    consteval label(const char (&literal)[Size]) { // implicit: a string literal is a label
        static_assert(Size <= capacity, "statiq: a label holds at most 46 characters");
        for (std::size_t i = 0; i + 1 < Size; ++i) text[i] = literal[i];
        length = Size - 1;
    }

    [[nodiscard]] constexpr std::size_t size() const noexcept { return length; }
    [[nodiscard]] constexpr bool empty() const noexcept { return length == 0; }
    [[nodiscard]] constexpr bool full() const noexcept { return size() == capacity; }
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {text, size()}; }
    /// Compares from the end: names of one length mostly differ in their last digits.
    friend constexpr bool operator==(const label& a, const label& b) noexcept {
        if (a.length != b.length) return false;
        std::size_t left = a.length;
        while (left > 0 && a.text[left - 1] == b.text[left - 1]) --left;
        return left == 0;
    }

    /// Whether this is the scope's own name or a name inside it: "block" and "block.conv" are in "block". All names
    /// are in the scope without a name.
    [[nodiscard]] constexpr bool is_in(const label& scope) const noexcept {
        const std::size_t end = scope.length;
        return end == 0 || (begins_with(scope) && (end == length || text[end] == '.'));
    }

    /// Appends; characters past the capacity are dropped.
    [[nodiscard]] constexpr label operator+(std::string_view tail) const {
        label joined = *this;
        const std::size_t room = capacity - length;
        const std::size_t count = tail.size() < room ? tail.size() : room;
        const char* const from = tail.data();
        for (std::size_t i = 0; i < count; ++i) joined.text[length + i] = from[i];
        joined.length = static_cast<unsigned char>(length + count);
        return joined;
    }
    /// Appends a decimal number: label("dw") + 13 is "dw13".
    [[nodiscard]] constexpr label operator+(int number) const {
        label joined = *this;
        std::size_t end = length + 1U;
        for (int rest = number / 10; rest > 0; rest /= 10) ++end;
        joined.length = static_cast<unsigned char>(end < capacity ? end : capacity);
        for (; end > length; number /= 10)
            if (--end < capacity) joined.text[end] = static_cast<char>('0' + number % 10);
        return joined;
    }
    /// "outer" / "inner" is "outer.inner"; an empty side leaves the other.
    [[nodiscard]] constexpr label operator/(const label& inner) const {
        if (empty()) return inner;
        return inner.empty() ? *this : *this + std::string_view(".") + inner.view();
    }
    /// Whether the first characters are the other label.
    [[nodiscard]] constexpr bool begins_with(const label& other) const noexcept {
        std::size_t same = 0;
        while (same < other.length && text[same] == other.text[same]) ++same;
        return same == other.length;
    }
};

} // namespace statiq
