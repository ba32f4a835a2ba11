// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/io/dtype.hpp>
#include <statiq/io/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace statiq::io::detail {

/// What the header of an npy file says.
struct npy_header {
    io::dtype dtype;
    std::vector<std::int64_t> shape;
};

/// The dtype NumPy spells so in 'descr': byte order, kind, size. One byte has no order ('|', though '<' is read too),
/// more bytes must be '<', little endian. Empty for any other text.
[[nodiscard]] constexpr std::optional<dtype> npy_dtype(std::string_view descr) {
    constexpr std::array<std::pair<std::string_view, dtype>, 12> known{{{"f8", dtype::f64},
                                                                        {"f4", dtype::f32},
                                                                        {"f2", dtype::f16},
                                                                        {"i8", dtype::i64},
                                                                        {"u8", dtype::u64},
                                                                        {"i4", dtype::i32},
                                                                        {"u4", dtype::u32},
                                                                        {"i2", dtype::i16},
                                                                        {"u2", dtype::u16},
                                                                        {"i1", dtype::i8},
                                                                        {"u1", dtype::u8},
                                                                        {"b1", dtype::boolean}}};
    if (descr.size() != 3) return std::nullopt;
    for (const auto& [text, type] : known)
        if (descr.substr(1) == text && (descr[0] == '<' || (descr[0] == '|' && size_of(type) == 1))) return type;
    return std::nullopt;
}

/// Reads the Python dictionary of an npy header: 'descr', 'fortran_order' and 'shape', each once and nothing else, in
/// any order, with single or double quotes, spaces between any two tokens and a comma after the last item or not.
class npy_header_parser {
  public:
    npy_header_parser(std::string_view text, std::string_view file) : text_(text), file_(file) {}

    /// @throws format_error
    [[nodiscard]] npy_header parse() {
        std::optional<dtype> type;
        std::optional<std::vector<std::int64_t>> shape;
        bool has_order = false;

        expect('{');
        while (!take('}')) {
            const std::string_view key = string("a key");
            expect(':');
            if (key == "descr" && !type) {
                type = descr();
            } else if (key == "fortran_order" && !has_order) {
                c_order();
                has_order = true;
            } else if (key == "shape" && !shape) {
                shape = tuple();
            } else {
                throw format_error(file_, "", "the keys 'descr', 'fortran_order' and 'shape', each once",
                                   "the key " + printable(key));
            }
            if (!take(',')) {
                expect('}');
                break;
            }
        }
        skip_spaces();
        if (at_ != text_.size()) refuse("nothing after the header's dictionary");
        if (!type || !has_order || !shape)
            throw format_error(file_, "", "the keys 'descr', 'fortran_order' and 'shape', each once",
                               std::string("no ") + (!type ? "'descr'" : (!has_order ? "'fortran_order'" : "'shape'")));
        return {*type, std::move(*shape)};
    }

  private:
    void skip_spaces() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    }

    [[nodiscard]] bool take(char c) {
        skip_spaces();
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    void expect(char c) {
        if (!take(c)) refuse(std::string("'") + c + "'");
    }

    /// A quoted text without escapes: none of the three keys and no type the reader takes needs one.
    [[nodiscard]] std::string_view string(std::string_view what) {
        skip_spaces();
        const char quote = at_ < text_.size() ? text_[at_] : '\0';
        if (quote != '\'' && quote != '"') refuse(std::string(what) + " in quotes");
        const std::size_t end = text_.find(quote, at_ + 1);
        if (end == std::string_view::npos) refuse("the end of a text in quotes");
        const std::string_view result = text_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
        return result;
    }

    [[nodiscard]] dtype descr() {
        skip_spaces();
        if (at_ < text_.size() && text_[at_] == '[') refuse("one element type, not a record of fields,");
        const std::string_view text = string("an element type");
        const std::optional<dtype> type = npy_dtype(text);
        if (!type)
            throw format_error(file_, "", "a little-endian descr of f8, f4, f2, i8, u8, i4, u4, i2, u2, i1, u1, b1",
                               printable(text));
        return *type;
    }

    void c_order() {
        skip_spaces();
        const std::string_view rest = text_.substr(at_);
        if (rest.starts_with("True"))
            throw format_error(file_, "", "C order (the last axis contiguous)",
                               "fortran_order True; save numpy.ascontiguousarray of it");
        if (!rest.starts_with("False")) refuse("True or False");
        at_ += std::string_view("False").size();
    }

    [[nodiscard]] std::vector<std::int64_t> tuple() {
        std::vector<std::int64_t> result;
        expect('(');
        bool closed = take(')');
        while (!closed) {
            result.push_back(extent());
            const bool comma = take(',');
            closed = take(')');
            if (!closed && !comma) refuse("',' or ')'");
            if (closed && !comma && result.size() == 1) refuse("',' after a tuple's only number"); // (3) is no tuple
        }
        return result;
    }

    [[nodiscard]] std::int64_t extent() {
        skip_spaces();
        const std::size_t begin = at_;
        std::int64_t value = 0;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
            const std::int64_t digit = text_[at_] - '0';
            if (value > ((std::numeric_limits<std::int64_t>::max)() - digit) / 10)
                throw format_error(file_, "", "extents of at most 2^63 - 1", printable(text_.substr(begin, 24)));
            value = value * 10 + digit;
        }
        if (at_ == begin) refuse("an extent, a number of digits only,");
        if (at_ - begin > 1 && text_[begin] == '0')
            throw format_error(file_, "", "an extent without leading zeros", printable(text_.substr(begin, 24)));
        return value;
    }

    [[noreturn]] void refuse(const std::string& expected) const {
        throw format_error(file_, "", expected + " at byte " + std::to_string(at_) + " of the header's dictionary",
                           at_ < text_.size() ? printable(text_.substr(at_, 24)) : "its end");
    }

    std::string_view text_;
    std::string_view file_;
    std::size_t at_ = 0;
};

} // namespace statiq::io::detail
