// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/calibration_error.hpp>
#include <statiq/calibrate/observers.hpp>
#include <statiq/exceptions.hpp>
#include <statiq/graph/printable.hpp>
#include <statiq/numeric/math.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace statiq::detail {

/// A field of stored observations that is missing, of another kind, or out of its bounds.
class field_error : public calibration_error {
  public:
    explicit field_error(std::string text) : calibration_error(text), text_(std::move(text)) {}
    [[nodiscard]] const std::string& text() const noexcept { return text_; } ///< without the prefix

  private:
    std::string text_;
};

/// A value in a message: ASCII, on one line, arrays and objects by their size.
[[nodiscard]] inline std::string shown(const nlohmann::json& value) {
    constexpr std::size_t longest = 60;
    if (value.is_structured())
        return (value.is_array() ? "an array of " : "an object of ") + std::to_string(value.size());
    const std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    return text.size() > longest ? text.substr(0, longest) + "..." : text;
}

/// Reads the fields of one state, each against its bounds. What is refused is named: "field 'bins': expected 64, found
/// 0". Settings are not read: they must be those of the observer that continues, because sizes and loops hang on them.
class stored_fields {
  public:
    explicit stored_fields(const nlohmann::json& from) : from_(from) {}

    [[nodiscard]] const nlohmann::json& at(const std::string& name) const {
        if (!from_.is_object())
            throw field_error("expected an object with the field '" + name + "', found " + shown(from_));
        const auto found = from_.find(name);
        if (found == from_.end()) throw field_error(where(name) + ": expected it, found none");
        return *found;
    }
    [[nodiscard]] std::string text(const std::string& name) const {
        const nlohmann::json& value = at(name);
        if (!value.is_string()) refuse(name, "a text", value);
        return value.get<std::string>();
    }
    /// A setting that the state was begun with.
    void require_same(const std::string& name, const nlohmann::json& begun) const {
        require_same(name, begun, at(name));
    }
    [[nodiscard]] bool truth(const std::string& name) const {
        const nlohmann::json& value = at(name);
        if (!value.is_boolean()) refuse(name, "true or false", value);
        return value.get<bool>();
    }
    [[nodiscard]] std::int64_t count(const std::string& name, std::int64_t most) const {
        const nlohmann::json& value = at(name);
        const bool fits = value.is_number_integer() && value >= 0 && value <= most;
        if (!fits) refuse(name, "an integer from 0 to " + std::to_string(most), value);
        return value.get<std::int64_t>();
    }
    [[nodiscard]] float real(const std::string& name) const { return real(name, at(name)); }

    /// Two reals in order, or null if that is allowed.
    [[nodiscard]] range ends(const std::string& name) const {
        const nlohmann::json& value = at(name);
        if (!value.is_array() || value.size() != 2) refuse(name, "a least and a greatest value", value);
        const range read{real(name, value[0]), real(name, value[1])};
        if (!(read.min <= read.max))
            throw field_error(where(name) + ": expected a least and a greatest value in order, found " +
                              shown(value[0]) + " and " + shown(value[1]));
        return read;
    }
    [[nodiscard]] extremes extremes_or_none(const std::string& name) const {
        if (at(name).is_null()) return {};
        const range read = ends(name);
        return {read.min, read.max};
    }
    /// Counts of `size` bins, or of none; together they fit 64 bits.
    [[nodiscard]] std::vector<std::uint64_t> counts(const std::string& name, std::size_t size) const {
        const nlohmann::json& value = at(name);
        if (!value.is_array() || (!value.empty() && value.size() != size))
            refuse(name, "the counts of " + std::to_string(size) + " bins, or none", value);
        std::vector<std::uint64_t> read;
        std::uint64_t total = 0;
        for (const nlohmann::json& one : value) {
            if (!one.is_number_integer() || one < 0) refuse(name, "counts of at least 0", one);
            read.push_back(one.get<std::uint64_t>());
            if (__builtin_add_overflow(total, read.back(), &total))
                throw field_error(where(name) + ": expected counts below 2^64 together, found more");
        }
        return read;
    }

    [[noreturn]] static void refuse(const std::string& name, const std::string& expected, const nlohmann::json& found) {
        throw field_error(where(name) + ": expected " + expected + ", found " + shown(found));
    }

  private:
    [[nodiscard]] static std::string where(const std::string& name) { return "field '" + name + "'"; }

    static void require_same(const std::string& name, const nlohmann::json& begun, const nlohmann::json& found) {
        if (begun.is_object() && found.is_object()) {
            for (const auto& [key, value] : begun.items()) {
                const auto inner = found.find(key);
                if (inner == found.end()) throw field_error(where(name + "." + key) + ": expected it, found none");
                require_same(name + "." + key, value, *inner);
            }
        } else if (found != begun) {
            refuse(name, shown(begun), found);
        }
    }
    static float real(const std::string& name, const nlohmann::json& value) {
        constexpr double most = (std::numeric_limits<float>::max)();
        if (!value.is_number()) refuse(name, "a number", value);
        const auto read = value.get<double>();
        if (!math::is_finite(read) || read < -most || read > most)
            refuse(name, "a finite number of float's range", value);
        return static_cast<float>(read);
    }

    const nlohmann::json& from_;
};

} // namespace statiq::detail
