// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#ifndef STATIQ_REFUSAL_HOOK
#include <cstdio>
#include <cstdlib>
#endif

namespace statiq {

/// Why a call was refused: a number that is not what the call takes.
struct refusal {
    const char* what = "";    ///< the call and what it counted: "float_network: values of the input"
    std::int64_t lowest = 0;  ///< expected: from `lowest` …
    std::int64_t highest = 0; ///< … to `highest`; the type's greatest: any that is not less
    std::int64_t found = 0;
    std::string_view layer{}; ///< the layer it is about; empty: none
};

/// Every call that takes samples, outputs, arenas or parameters ends here when it is given what it cannot take: the
/// program's mistake, which no run could survive. Where inference runs there are no exceptions, so it does not return.
/// By default it writes "statiq: <what> of layer '<layer>': expected <lowest> to <highest>, found <found>" to the
/// standard error stream, less what does not apply, and aborts.
///
/// A program that wants something else, or has no such stream, is compiled with STATIQ_REFUSAL_HOOK defined, in every
/// source alike, and defines this function itself.
#ifdef STATIQ_REFUSAL_HOOK
[[noreturn]] void refused(const refusal& why) noexcept;
#else
[[noreturn, gnu::cold]] inline void refused(const refusal& why) noexcept {
    char text[256];
    std::size_t size = 0;
    const auto say = [&](std::string_view words) {
        for (const char c : words)
            if (size + 2 < sizeof text) text[size++] = c;
    };
    const auto say_number = [&](std::int64_t number) {
        auto rest = static_cast<std::uint64_t>(number);
        if (number < 0) {
            say("-");
            rest = 0 - rest;
        }
        char digits[20];
        std::size_t first = sizeof digits;
        do digits[--first] = static_cast<char>('0' + rest % 10);
        while ((rest /= 10) != 0);
        say({digits + first, sizeof digits - first});
    };
    say("statiq: ");
    say(why.what);
    if (!why.layer.empty()) {
        say(" of layer '");
        say(why.layer);
        say("'");
    }
    say(": expected ");
    say_number(why.lowest);
    if (why.highest == (std::numeric_limits<std::int64_t>::max)()) {
        say(" or more");
    } else if (why.highest != why.lowest) {
        say(" to ");
        say_number(why.highest);
    }
    say(", found ");
    say_number(why.found);
    text[size++] = '\n';
    text[size] = '\0';
    std::fputs(text, stderr);
    std::abort();
}
#endif

namespace detail {
/// Refuses another count than the expected one.
constexpr void require_count(const char* what, std::size_t expected, std::size_t found,
                             std::string_view layer = {}) noexcept {
    const auto count = static_cast<std::int64_t>(expected);
    if (found != expected) [[unlikely]]
        refused({what, count, count, static_cast<std::int64_t>(found), layer});
}
/// Refuses less than `least`.
constexpr void require_at_least(const char* what, std::size_t least, std::size_t found) noexcept {
    if (found < least) [[unlikely]]
        refused({what,
                 static_cast<std::int64_t>(least),
                 (std::numeric_limits<std::int64_t>::max)(),
                 static_cast<std::int64_t>(found),
                 {}});
}
} // namespace detail

} // namespace statiq
