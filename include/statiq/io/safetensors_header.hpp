// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/io/error.hpp>
#include <statiq/io/safetensors_contents.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace statiq::io::detail {

/// The JSON header of a safetensors file as it is written there:
/// {"__metadata__": {text: text, ...}, name: {"dtype": text, "shape": [n, ...], "data_offsets": [begin, end]}, ...}.
struct safetensors_header {
    std::vector<safetensors_entry> entries; ///< in the header's order
    safetensors_metadata metadata;
};

/// Receives the parser's events one by one and accepts only the header's grammar. Built on events and not on a parsed
/// document because a document drops repeated keys, and because nothing is then kept that the header has no place for,
/// however deep it is nested. (The member functions' names and types are what nlohmann::json::sax_parse calls.)
class safetensors_header_events {
  public:
    explicit safetensors_header_events(std::string_view file) : file_(file) {}

    [[nodiscard]] safetensors_header take() && { return std::move(header_); }

    bool null() { refuse("null"); }
    bool boolean(bool value) { refuse(value ? "true" : "false"); }
    bool number_integer(std::int64_t value) { refuse(std::to_string(value)); } // called for negative numbers only
    bool number_float(double, const std::string& text) { refuse("the number " + printable(text)); }
    bool binary(const nlohmann::json::binary_t&) { refuse("binary data"); }

    bool number_unsigned(std::uint64_t value) {
        if (place_ == place::shape) {
            if (value > static_cast<std::uint64_t>((std::numeric_limits<std::int64_t>::max)()))
                refuse(std::to_string(value));
            entry().shape.push_back(static_cast<std::int64_t>(value));
        } else if (place_ == place::offsets && offsets_ < 2) {
            if (value > (std::numeric_limits<std::size_t>::max)()) refuse(std::to_string(value));
            (offsets_ == 0 ? entry().begin : entry().end) = static_cast<std::size_t>(value);
            ++offsets_;
        } else {
            refuse(place_ == place::offsets ? "a third number" : std::to_string(value));
        }
        return true;
    }

    bool string(std::string& value) {
        if (place_ == place::metadata_value) {
            if (!header_.metadata.emplace(std::move(key_), std::move(value)).second)
                throw format_error(file_, "", "each metadata key once", "one repeated");
            place_ = place::metadata;
        } else if (place_ == place::dtype_value) {
            entry().dtype = dtype_named(value);
            entry().dtype_name = std::move(value);
            place_ = place::tensor;
        } else {
            refuse("the text " + printable(value));
        }
        return true;
    }

    bool key(std::string& value) {
        switch (place_) {
        case place::root:
            if (value == "__metadata__") {
                if (has_metadata_) throw format_error(file_, "", "\"__metadata__\" once", "it twice");
                has_metadata_ = true;
                place_ = place::metadata_object;
            } else {
                header_.entries.push_back({.name = std::move(value)});
                fields_ = {};
                place_ = place::tensor_object;
            }
            break;
        case place::metadata:
            key_ = std::move(value);
            place_ = place::metadata_value;
            break;
        default:
            field(value);
            break;
        }
        return true;
    }

    bool start_object(std::size_t) {
        switch (place_) {
        case place::outside:
            place_ = place::root;
            break;
        case place::metadata_object:
            place_ = place::metadata;
            break;
        case place::tensor_object:
            place_ = place::tensor;
            break;
        default:
            refuse("an object");
        }
        return true;
    }

    bool end_object() {
        if (place_ == place::tensor)
            for (std::size_t i = 0; i < fields_.size(); ++i)
                if (!fields_[i]) refuse("none in the header", "a " + printable(field_names[i]));
        place_ = place_ == place::root ? place::outside : place::root;
        return true;
    }

    bool start_array(std::size_t) {
        switch (place_) {
        case place::shape_value:
            place_ = place::shape;
            break;
        case place::offsets_value:
            place_ = place::offsets;
            break;
        default:
            refuse("an array");
        }
        return true;
    }

    bool end_array() {
        if (place_ == place::offsets && offsets_ != 2) refuse(std::to_string(offsets_) + " numbers");
        place_ = place::tensor;
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) {
        throw format_error(file_, "", "a JSON header in UTF-8",
                           "an error at its byte " + std::to_string(position) + ": " + printable(error.what(), 240));
    }

  private:
    /// Where the parser is; the names ending in _value and _object stand before what a key announces.
    enum class place : std::uint8_t {
        outside,
        root,
        metadata_object,
        metadata,
        metadata_value,
        tensor_object,
        tensor,
        dtype_value,
        shape_value,
        shape,
        offsets_value,
        offsets
    };
    static constexpr std::array<std::string_view, 3> field_names{"dtype", "shape", "data_offsets"};

    void field(std::string_view key) {
        constexpr std::array places{place::dtype_value, place::shape_value, place::offsets_value};
        for (std::size_t i = 0; i < field_names.size(); ++i) {
            if (key != field_names[i]) continue;
            if (fields_[i]) refuse("a second " + printable(key));
            fields_[i] = true;
            place_ = places[i];
            offsets_ = 0;
            return;
        }
        refuse("the key " + printable(key));
    }

    [[noreturn]] void refuse(const std::string& found) const { refuse(found, std::string(wanted())); }
    [[noreturn]] void refuse(const std::string& found, const std::string& expected) const {
        const bool in_tensor = place_ >= place::tensor_object;
        throw format_error(file_, in_tensor ? std::string_view(header_.entries.back().name) : "", expected,
                           found + (in_tensor || place_ == place::outside ? "" : " in the header"));
    }

    [[nodiscard]] std::string_view wanted() const {
        switch (place_) {
        case place::outside:
            return "a JSON object as header";
        case place::root:
            return "tensors in the header";
        case place::metadata_object:
            return "an object under \"__metadata__\"";
        case place::metadata:
        case place::metadata_value:
            return "text under \"__metadata__\"";
        case place::tensor_object:
            return "an object of dtype, shape and data_offsets";
        case place::tensor:
            return "dtype, shape and data_offsets, each once";
        case place::dtype_value:
            return "a dtype, a text";
        case place::shape_value:
            return "a shape, an array";
        case place::shape:
            return "extents from 0 to 2^63 - 1 in the shape";
        case place::offsets_value:
            return "data_offsets, an array";
        case place::offsets:
            return "a begin and an end in data_offsets";
        }
        return "";
    }

    safetensors_entry& entry() { return header_.entries.back(); }

    std::string_view file_;
    safetensors_header header_;
    place place_ = place::outside;
    bool has_metadata_ = false;
    std::string key_;              // the metadata key whose value comes next
    std::array<bool, 3> fields_{}; // which field_names the current tensor has had
    int offsets_ = 0;              // how many numbers data_offsets has had
};

/// Parses the header's JSON text. The entries are well formed; whether they fit the data is not checked here.
/// @throws format_error
[[nodiscard]] inline safetensors_header parse_safetensors_header(std::string_view json, std::string_view file) {
    if (json.empty() || json.front() != '{') // the format's rule: no leading space, no byte order mark
        throw format_error(file, "", "a header that begins with '{'",
                           json.empty() ? "an empty header" : printable(json.substr(0, 1)));
    if (json.find('\0') != std::string_view::npos) // the parser would take it for the end
        throw format_error(file, "", "a JSON header in UTF-8", "a zero byte in it");
    safetensors_header_events events(file);
    nlohmann::json::sax_parse(json.begin(), json.end(), &events);
    return std::move(events).take();
}

} // namespace statiq::io::detail
