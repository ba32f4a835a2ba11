// SPDX-License-Identifier: Apache-2.0
#include <statiq/analyze/summary.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include <regex>
#include <sstream>
#include <string>
#include <vector>

using namespace statiq;

namespace {

constexpr auto body = input<20, 12, 3> | named<"stem">(conv<8>(kernel<3, 5>, stride<2, 1>) | batch_norm | relu6) |
                      named<"block">(residual(relu | depthwise | batch_norm) | relu) |
                      concat(max_pool, named<"shrink">(conv<1024>(stride<2>))) | flatten | named<"fc">(dense<10>);
struct net final : network<decltype(body)> {};
using integers = numbers_chosen<deployed<net>, quantized<4, symmetric, per_channel>, quantized<8, asymmetric>>;

/// The cells of every line: what stands at least two spaces apart.
std::vector<std::vector<std::string>> cells_of(const std::string& text) {
    static const std::regex gap("  +");
    std::vector<std::vector<std::string>> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        lines.emplace_back(std::sregex_token_iterator(line.begin(), line.end(), gap, -1), std::sregex_token_iterator());
    return lines;
}

/// "4 210 088" -> 4210088
long long number(std::string cell) {
    std::erase(cell, ' ');
    return std::stoll(cell);
}

std::size_t occurrences(const std::string& text, const std::string& of) {
    std::size_t count = 0;
    for (auto at = text.find(of); at != std::string::npos; at = text.find(of, at + 1)) ++count;
    return count;
}

std::string edge(std::size_t from_node, std::size_t to_node) {
    std::ostringstream text;
    text << "n" << from_node << " -> n" << to_node << ";";
    return text.str();
}

template <graph_type G>
void check_summary() {
    const auto lines = cells_of(summary<G>());
    REQUIRE(lines.size() == node_count<G> + 4); // header, rule, nodes, total, arena
    long long parameters = 0;
    long long products = 0;
    for (std::size_t i = 0; i < node_count<G>; ++i) {
        const node& n = G::nodes[i];
        const auto& cells = lines[i + 2];
        REQUIRE(cells.size() == 7);
        CHECK(cells[0] == n.name.view());
        CHECK(cells[3] ==
              std::to_string(n.out.height) + "x" + std::to_string(n.out.width) + "x" + std::to_string(n.out.channels));
        parameters += number(cells[4]);
        products += number(cells[5]);
        CHECK(number(cells[6]) == static_cast<long long>(n.out.size()) *
                                      (n.numbers.activation.floating ? 4 : n.numbers.activation.bits / 8));
    }
    const auto& total = lines[node_count<G> + 2];
    REQUIRE(total.size() == 3);
    CHECK(total[0] == "total");
    CHECK(number(total[1]) == parameters);
    CHECK(number(total[1]) == parameter_count<G>);
    CHECK(number(total[2]) == products);
    CHECK(number(total[2]) == multiply_accumulates<G>);
    const std::string& arena = lines.back()[0];
    CHECK(arena.find(grouped(static_cast<long long>(arena_bytes<G>)) + " bytes") != std::string::npos);
}

} // namespace

TEST_CASE("a summary has a line a layer, and its columns add up") {
    check_summary<net>();
    check_summary<integers>();
}

TEST_CASE("a summary says what layers do and in which numbers") {
    const std::string floats = summary<net>();
    CHECK(floats.find("convolution 3x5 /2x1") != std::string::npos);
    CHECK(floats.find("depthwise 3x3") != std::string::npos);
    CHECK(floats.find("float32") != std::string::npos);
    CHECK(floats.find("int8") == std::string::npos);
    const std::string quantized_text = summary<integers>();
    CHECK(quantized_text.find("convolution 3x5 /2x1 + relu6") != std::string::npos);
    CHECK(quantized_text.find("add + relu") != std::string::npos);
    CHECK(quantized_text.find("int4/channel -> uint8") != std::string::npos);
    CHECK(quantized_text.find("float32") == std::string::npos);
    CHECK(quantized_text.find("batch_norm") == std::string::npos);
}

TEST_CASE("columns stand one below the other") {
    table lines({"name", "count"});
    lines.add({"a", grouped(1'234'567)});
    lines.add({"longer name", grouped(-1'000)});
    CHECK(lines.text() == "name             count\n"
                          "----------------------\n"
                          "a            1 234 567\n"
                          "longer name     -1 000\n");
    CHECK(grouped(0) == "0");
    CHECK(grouped(999) == "999");
    CHECK(grouped(-999) == "-999");
    CHECK(grouped(100'000) == "100 000");
    CHECK(fixed(2.345, 1) == "2.3");
}

TEST_CASE("a drawing has every node and every edge") {
    const std::string text = graphviz<net>();
    CHECK(text.starts_with("digraph"));
    CHECK(occurrences(text, "{") == occurrences(text, "}"));
    std::size_t edges = 0;
    for (std::size_t i = 0; i < node_count<net>; ++i) {
        const node& n = net::nodes[i];
        CHECK(occurrences(text, "label=\"" + std::string(n.name.view()) + "\\n") == 1);
        for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k) {
            ++edges;
            CHECK(occurrences(text, edge(static_cast<std::size_t>(n.inputs[k]), i)) == 1);
        }
    }
    CHECK(occurrences(text, "->") == edges);
    CHECK(edges == 15); // one for each layer, a second for the sum and the concatenation
}
