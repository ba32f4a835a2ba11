// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/interval.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace statiq {

/// The parts of a layer's integers.
enum class integer_part : std::uint8_t { weight, weight_scale, weight_zero_point, bias, scale, zero_point };

/// As files name them, after the layer's name.
[[nodiscard]] constexpr std::string_view to_string(integer_part part) {
    constexpr std::array<std::string_view, 6> names{".weight", ".weight.scale", ".weight.zero_point",
                                                    ".bias",   ".scale",        ".zero_point"};
    return names[static_cast<std::size_t>(part)];
}

/// A number of a network's integers that its types exclude. It is data, which constant expressions and programs without
/// exceptions can read.
struct integer_fault {
    enum class kind : std::uint8_t {
        count,     ///< the part has `found` numbers, not `allowed.lo`
        integer,   ///< number `index` is `found`, outside `allowed`
        scale,     ///< scale `index`, `real`, is not positive and finite
        multiplier ///< scale `index`, `real`, makes a multiplier of at least 2^30
    };
    std::size_t node = 0;
    integer_part part = integer_part::weight;
    kind what = kind::integer;
    std::size_t index = 0; ///< in natural order
    std::int64_t found = 0;
    interval allowed{};
    float real = 0;
};

/// What was expected, in words.
[[nodiscard]] inline std::string expected_text(const integer_fault& fault) {
    const std::string ends = std::to_string(fault.allowed.lo) + " to " + std::to_string(fault.allowed.hi);
    switch (fault.what) {
    case integer_fault::kind::count:
        return std::to_string(fault.allowed.lo) + " numbers";
    case integer_fault::kind::scale:
        return "positive finite scales";
    case integer_fault::kind::multiplier:
        return "scales by which every multiplier of an input stays below 2^30";
    case integer_fault::kind::integer:
        break;
    }
    if (fault.part == integer_part::weight) return "integers from " + ends + ", as the type says";
    if (fault.part == integer_part::bias) return "biases from " + ends + ", which keep the layer's sums within int32";
    if (fault.allowed == interval{}) return "no zero points but 0: the type is symmetric";
    return "zero points from " + ends;
}

/// What was found instead, without its place.
[[nodiscard]] inline std::string found_text(const integer_fault& fault) {
    if (fault.what == integer_fault::kind::count || fault.what == integer_fault::kind::integer)
        return std::to_string(fault.found);
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, fault.real).ptr};
}

} // namespace statiq
