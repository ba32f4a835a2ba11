// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

/// The headers by their include path ("statiq/numeric/number.hpp"), and their text.
using header_tree = std::map<std::string, std::string>;

/// Which floors each floor may include besides itself. docs/architecture.md says why.
const std::map<std::string, std::set<std::string>>& house() {
    static const std::map<std::string, std::set<std::string>> floors = [] {
        std::map<std::string, std::set<std::string>> all{
            {"numeric", {}},
            {"tensor", {"numeric"}},
            {"graph", {"numeric", "tensor"}},
            {"operations", {"numeric", "tensor", "graph", "kernels"}},
            {"networks", {"numeric", "tensor", "graph", "operations"}},
            {"passes", {"numeric", "tensor", "graph", "operations"}},
            {"plan", {"numeric", "tensor", "graph", "operations", "passes"}},
            {"simd", {"numeric"}},
            {"kernels", {"numeric", "tensor", "simd"}},
            {"threads", {"numeric", "tensor", "simd", "kernels"}},
            {"execute",
             {"numeric", "tensor", "graph", "operations", "networks", "passes", "plan", "simd", "kernels", "threads"}},
            {"io", {"numeric", "tensor", "graph", "operations", "passes"}},
        };
        auto above_execute = all["execute"];
        above_execute.insert("execute");
        all["simulate"] = above_execute;
        above_execute.insert("simulate");
        all["calibrate"] = above_execute;
        all["analyze"] = above_execute;
        above_execute.insert({"calibrate", "analyze", "io"});
        all["train"] = above_execute;
        return all;
    }();
    return floors;
}

const std::set<std::string> may_include_xsimd{"simd", "kernels"};
const std::set<std::string> may_not_reach_xsimd{"numeric",  "tensor", "graph", "operations",
                                                "networks", "passes", "plan"};

/// Headers of no floor that every floor may include.
const std::set<std::string> foundations{"statiq/exceptions.hpp", "statiq/language.hpp", "statiq/version.hpp"};

/// "statiq/numeric/number.hpp" -> "numeric"; "" for a header of no floor or of another library.
std::string floor_of(const std::string& path) {
    const std::string root = "statiq/";
    const auto end = path.find('/', root.size());
    return path.starts_with(root) && end != std::string::npos ? path.substr(root.size(), end - root.size()) : "";
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in{text};
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::vector<std::string> includes_of(const std::string& text) {
    static const std::regex directive{R"(^\s*#\s*include\s*[<"]([^>"]+)[>"].*)"};
    std::vector<std::string> paths;
    for (const auto& line : lines_of(text))
        if (std::smatch match; std::regex_match(line, match, directive)) paths.push_back(match[1]);
    return paths;
}

/// What each header includes, by its include path.
using include_graph = std::map<std::string, std::vector<std::string>>;

bool is_xsimd(const std::string& path) { return path.starts_with("xsimd/"); }

/// The shortest chain of includes from a header to xsimd, as text; empty when there is none.
std::string way_to_xsimd(const include_graph& graph, const std::string& from) {
    std::map<std::string, std::string> reached_as{{from, from}};
    std::deque<std::string> next{from};
    while (!next.empty()) {
        const auto path = next.front();
        next.pop_front();
        const auto includes = graph.find(path);
        if (includes == graph.end()) continue;
        for (const auto& include : includes->second) {
            auto way = reached_as[path] + " -> " + include;
            if (is_xsimd(include)) return way;
            if (reached_as.emplace(include, way).second) next.push_back(include);
        }
    }
    return "";
}

/// Whether code, not a comment, throws or catches.
bool needs_exceptions(const std::string& text) {
    static const std::regex statement{R"(^(?:[^"/]|/(?!/))*\b(throw\b|try \{|catch \())"};
    const auto lines = lines_of(text);
    return std::any_of(lines.begin(), lines.end(), [](const auto& line) { return std::regex_search(line, statement); });
}

/// Everything the tree breaks, one sentence each.
std::vector<std::string> violations(const header_tree& headers) {
    include_graph graph;
    for (const auto& [path, text] : headers) graph[path] = includes_of(text);

    std::vector<std::string> found;
    for (const auto& [path, text] : headers) {
        const auto lines = lines_of(text);
        if (lines.empty() || lines.front() != "// SPDX-License-Identifier: Apache-2.0")
            found.push_back(path + ": the first line is not the SPDX line");
        if (std::find(lines.begin(), lines.end(), "#pragma once") == lines.end())
            found.push_back(path + ": no #pragma once");

        const auto floor = floor_of(path);
        if (!floor.empty() && !house().contains(floor)) {
            found.push_back(path + ": the house has no floor " + floor);
            continue;
        }
        // A header without the check is checked by what it includes first.
        if (path != "statiq/language.hpp" && (graph[path].empty() || !graph[path].front().starts_with("statiq/")))
            found.push_back(path + ": the first include is neither statiq/language.hpp nor another header of statiq");
        if (needs_exceptions(text) && std::count(graph[path].begin(), graph[path].end(), "statiq/exceptions.hpp") == 0)
            found.push_back(path + " throws or catches and does not include statiq/exceptions.hpp");
        for (const auto& include : graph[path]) {
            if (is_xsimd(include) && !may_include_xsimd.contains(floor))
                found.push_back(path + " includes " + include + ": only simd/ and kernels/ may");
            if (!include.starts_with("statiq/")) continue;
            if (!headers.contains(include)) found.push_back(path + " includes " + include + ", which does not exist");
            const auto target = floor_of(include);
            if (floor.empty() || target == floor || foundations.contains(include)) continue;
            if (!house().at(floor).contains(target))
                found.push_back(path + " includes " + include + ": " + floor + "/ may not include " +
                                (target.empty() ? "the headers that include everything" : target + "/"));
        }
        if (may_not_reach_xsimd.contains(floor))
            if (const auto way = way_to_xsimd(graph, path); !way.empty()) found.push_back("xsimd is reached: " + way);
    }
    return found;
}

header_tree read_headers(const std::filesystem::path& include_dir) {
    header_tree headers;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{include_dir}) {
        if (!entry.is_regular_file()) continue;
        std::ifstream in{entry.path()};
        headers[entry.path().lexically_relative(include_dir).generic_string()] =
            std::string{std::istreambuf_iterator<char>{in}, {}};
    }
    return headers;
}

std::string header(const std::string& includes) {
    return "// SPDX-License-Identifier: Apache-2.0\n#pragma once\n" + includes;
}

bool complains(const header_tree& headers, const std::string& words) {
    const auto found = violations(headers);
    return std::any_of(found.begin(), found.end(),
                       [&](const auto& sentence) { return sentence.find(words) != std::string::npos; });
}

} // namespace

TEST_CASE("the library's headers keep to their floors") {
    const auto headers = read_headers(std::filesystem::path{STATIQ_SOURCE_DIR} / "include");
    REQUIRE(headers.contains("statiq/version.hpp"));
    for (const auto& sentence : violations(headers)) FAIL_CHECK(sentence);
}

TEST_CASE("a floor may include itself, what its row names, and the headers of no floor") {
    CHECK(
        violations({{"statiq/version.hpp", header("#include <statiq/language.hpp>\n")},
                    {"statiq/statiq.hpp", header("#include <statiq/kernels/k.hpp>\n")},
                    {"statiq/language.hpp", header("")},
                    {"statiq/numeric/a.hpp", header("#include <statiq/version.hpp>\n#include <vector>\n")},
                    {"statiq/numeric/b.hpp", header("#include <statiq/numeric/a.hpp>\n")},
                    {"statiq/kernels/k.hpp", header("#include <statiq/numeric/b.hpp>\n#include <xsimd/xsimd.hpp>\n")}})
            .empty());
}

TEST_CASE("each broken rule is found and named") {
    const header_tree base{{"statiq/language.hpp", header("")},
                           {"statiq/numeric/a.hpp", header("#include <statiq/language.hpp>\n")},
                           {"statiq/graph/g.hpp", header("#include <statiq/language.hpp>\n")}};
    const auto with = [&](const std::string& path, const std::string& text) {
        auto headers = base;
        headers[path] = text;
        return headers;
    };

    CHECK(complains(with("statiq/kernels/k.hpp", header("#include <statiq/graph/g.hpp>\n")),
                    "statiq/kernels/k.hpp includes statiq/graph/g.hpp: kernels/ may not include graph/"));
    CHECK(complains(with("statiq/numeric/b.hpp", header("  # include \"statiq/graph/g.hpp\"\n")),
                    "numeric/ may not include graph/"));
    CHECK(complains(with("statiq/numeric/b.hpp", header("#include <statiq/statiq.hpp>\n")),
                    "numeric/ may not include the headers that include everything"));
    CHECK(complains(with("statiq/numeric/b.hpp", header("#include <statiq/numeric/gone.hpp>\n")), "does not exist"));
    CHECK(complains(with("statiq/cellar/c.hpp", header("")), "the house has no floor cellar"));
    CHECK(complains(with("statiq/io/i.hpp", header("#include <xsimd/xsimd.hpp>\n")), "only simd/ and kernels/ may"));
    CHECK(complains(with("statiq/numeric/b.hpp", header("")), "the first include is neither statiq/language.hpp"));
    CHECK(complains(with("statiq/numeric/b.hpp", header("#include <vector>\n#include <statiq/numeric/a.hpp>\n")),
                    "statiq/numeric/b.hpp: the first include is neither statiq/language.hpp"));
    CHECK(complains(with("statiq/numeric/b.hpp", "#pragma once\n"), "SPDX"));
    CHECK(complains(with("statiq/numeric/b.hpp", "// SPDX-License-Identifier: Apache-2.0\n"), "no #pragma once"));

    const std::string b = "#include <statiq/numeric/a.hpp>\n";
    CHECK(complains(with("statiq/numeric/b.hpp", header(b + "    if (bad) throw error();\n")),
                    "statiq/numeric/b.hpp throws or catches and does not include statiq/exceptions.hpp"));
    CHECK(complains(with("statiq/numeric/b.hpp", header(b + "    try {\n")), "throws or catches"));
    CHECK_FALSE(complains(with("statiq/numeric/b.hpp", header(b + "f(); // does not throw\n")), "throws or catches"));

    auto roundabout = with("statiq/plan/p.hpp", header("#include <statiq/graph/g.hpp>\n"));
    roundabout["statiq/graph/g.hpp"] = header("#include <statiq/simd/s.hpp>\n");
    roundabout["statiq/simd/s.hpp"] = header("#include <xsimd/types/xsimd_batch.hpp>\n");
    CHECK(complains(roundabout, "statiq/plan/p.hpp -> statiq/graph/g.hpp -> statiq/simd/s.hpp -> "
                                "xsimd/types/xsimd_batch.hpp"));
    CHECK_FALSE(complains(roundabout, "reached: statiq/simd/s.hpp"));
}
