// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace example {

/// The names of a list of names and their meanings.
template <class Pairs>
std::vector<std::string> first_of(const Pairs& pairs) {
    std::vector<std::string> names;
    for (const auto& [name, meaning] : pairs) names.push_back(name);
    return names;
}

/// Such a list as a part of what --help prints.
template <class Pairs>
std::string explained(const std::string& heading, const Pairs& pairs) {
    std::string text = heading + ":\n";
    for (const auto& [name, meaning] : pairs)
        text += "  " + name + std::string(name.size() < 30 ? 30 - name.size() : 1, ' ') + meaning + "\n";
    return text;
}

} // namespace example
