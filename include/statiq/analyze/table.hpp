// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace statiq {

/// A text table whose columns are as wide as their widest cell. The first column stands left, numbers right.
class table {
  public:
    explicit table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }

    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

    [[nodiscard]] std::string text() const {
        std::vector<std::size_t> widths;
        for (const auto& row : rows_)
            for (std::size_t c = 0; c < row.size(); ++c) {
                if (c == widths.size()) widths.push_back(0);
                widths[c] = (std::max)(widths[c], row[c].size());
            }
        std::string out;
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            std::string line;
            for (std::size_t c = 0; c < rows_[r].size(); ++c) {
                const std::string padding_text(widths[c] - rows_[r][c].size(), ' ');
                if (c > 0) line += "  ";
                line += c == 0 ? rows_[r][c] + padding_text : padding_text + rows_[r][c];
            }
            while (!line.empty() && line.back() == ' ') line.pop_back();
            out += line + "\n";
            if (r == 0) out += std::string(line.size(), '-') + "\n";
        }
        return out;
    }

  private:
    std::vector<std::vector<std::string>> rows_;
};

/// A number with so many digits after the point.
inline std::string fixed(double value, int digits) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

/// An integer with its thousands apart: 4 210 088.
inline std::string grouped(long long value) {
    const std::string digits = std::to_string(value);
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const bool starts_group = (digits.size() - i) % 3 == 0;
        if (starts_group && i > 0 && digits[i - 1] != '-') text += ' ';
        text += digits[i];
    }
    return text;
}

} // namespace statiq
