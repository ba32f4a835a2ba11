// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/analyze/table.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/plan/facts.hpp>

#include <cstddef>
#include <string>

namespace statiq {

namespace detail {
inline std::string extents_text(const extents& e) {
    return std::to_string(e.height) + "x" + std::to_string(e.width) + "x" + std::to_string(e.channels);
}
/// "3x5"; pieces are appended, because GCC 12 warns wrongly of text before a number's.
inline std::string pair_text(int a, int b) { return std::to_string(a) + "x" + std::to_string(b); }

inline std::string format_text(const number_format& format) {
    if (format.floating) return "float32";
    std::string text = format.is_signed() ? "int" : "uint";
    text += std::to_string(format.bits);
    if (format.per == granularity::channel) text += "/channel";
    if (format.per == granularity::group) text.append("/").append(std::to_string(format.group));
    return text;
}
inline std::string operation_text(const node& n) {
    std::string text(n.is_depthwise() ? "depthwise" : n.word());
    if (n.over.taps() > 1) text.append(" ").append(pair_text(n.over.kernel_height, n.over.kernel_width));
    if (n.over.stride_height != n.over.stride_width)
        text.append(" /").append(pair_text(n.over.stride_height, n.over.stride_width));
    else if (n.over.stride_height > 1)
        text.append(" /").append(std::to_string(n.over.stride_height));
    if (n.has_fused_clamp()) text.append(" + ").append(to_string(n.clamp));
    return text;
}
} // namespace detail

/// A network as a table: layers, shapes, parameters, multiply-accumulates and bytes of each output, and their totals.
/// The same facts are constants: `G::nodes`, `parameter_count<G>`, `multiply_accumulates<G>`, `arena_bytes<G>`.
template <graph_type G>
std::string summary() {
    table lines({"layer", "operation", "numbers", "output", "parameters", "MACs", "bytes"});
    for (const node& n : G::nodes)
        lines.add({std::string(n.name.view()), detail::operation_text(n),
                   n.is_linear()
                       ? detail::format_text(n.numbers.weight) + " -> " + detail::format_text(n.numbers.activation)
                       : detail::format_text(n.numbers.activation),
                   detail::extents_text(n.out), grouped(detail::parameter_count_of(n)),
                   grouped(detail::multiply_accumulates_of(n)),
                   grouped(static_cast<long long>(n.out.size()) * n.numbers.activation.bytes())});
    lines.add({"total", "", "", "", grouped(parameter_count<G>), grouped(multiply_accumulates<G>), ""});
    return lines.text() + "arena: " + grouped(static_cast<long long>(arena_bytes<G>)) + " bytes, at least " +
           grouped(static_cast<long long>(memory_plan_of<G>.largest_live_set)) + " at once\n";
}

/// A network as a Graphviz drawing (`dot -Tsvg`).
template <graph_type G>
std::string graphviz() {
    std::string text = "digraph network {\n  node [shape=box, fontname=\"sans-serif\"];\n";
    for (std::size_t i = 0; i < node_count<G>; ++i) {
        const node& n = G::nodes[i];
        text.append("  n").append(std::to_string(i)).append(" [label=\"").append(n.name.view());
        text += "\\n" + detail::operation_text(n) + "\\n" + detail::extents_text(n.out) + "\"];\n";
        for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
            text.append("  n")
                .append(std::to_string(n.inputs[k]))
                .append(" -> n")
                .append(std::to_string(i))
                .append(";\n");
    }
    return text + "}\n";
}

} // namespace statiq
