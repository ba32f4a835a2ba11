// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

std::string trimmed(const std::string& line) {
    const auto first = line.find_first_not_of(" \t");
    if (first == std::string::npos) return "";
    return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string> lines_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    REQUIRE_MESSAGE(file, path.string());
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

/// The C++ blocks of a Markdown page, each as its lines without indentation and blank lines.
std::vector<std::vector<std::string>> code_blocks(const std::filesystem::path& page) {
    std::vector<std::vector<std::string>> blocks;
    bool inside = false;
    for (const std::string& line : lines_of(page)) {
        if (trimmed(line).starts_with("```")) {
            inside = !inside && trimmed(line) == "```cpp";
            if (inside) blocks.emplace_back();
        } else if (inside && !trimmed(line).empty()) {
            blocks.back().push_back(trimmed(line));
        }
    }
    return blocks;
}

/// Every line of every block stands in the program, a block's lines in their order.
void check_page(const std::filesystem::path& page, const std::filesystem::path& program) {
    std::vector<std::string> source;
    for (const std::string& line : lines_of(program)) source.push_back(trimmed(line));
    const auto blocks = code_blocks(page);
    CHECK(!blocks.empty());
    for (const auto& block : blocks) {
        std::size_t at = 0;
        for (const std::string& line : block) {
            while (at < source.size() && source[at] != line) ++at;
            CHECK_MESSAGE(at < source.size(), page.filename().string(), " shows a line that ",
                          program.filename().string(), " does not have (in this order): ", line);
            if (at == source.size()) break;
        }
    }
}

} // namespace

TEST_CASE("the code on the pages is the code of the examples that run") {
    const std::filesystem::path source = STATIQ_SOURCE_DIR;
    check_page(source / "README.md", source / "examples/readme.cpp");
    check_page(source / "docs/tutorial.md", source / "examples/tutorial.cpp");
    check_page(source / "docs/reparameterization.md", source / "examples/reparameterization.cpp");
    check_page(source / "docs/threads.md", source / "examples/threads.cpp");
}
