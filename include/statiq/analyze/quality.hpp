// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/analyze/signal_to_noise.hpp>
#include <statiq/passes/quantize_data.hpp>
#include <statiq/simulate/float_simulation.hpp>
#include <statiq/simulate/loss_sources.hpp>
#include <statiq/tensor/sample_reader.hpp>
#include <statiq/threads/shares.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace statiq {

/// What one source of loss costs.
struct source_quality {
    const loss_source* source = nullptr;
    signal_to_noise ratio{};
};

/// What quantization costs one layer, against the float network.
struct layer_quality {
    std::string name{};
    const operation_facts* facts = nullptr; ///< of what it computes
    bool depthwise = false;
    extents out{};
    int weight_bits = 32; ///< 32: float, or no weights
    int activation_bits = 32;
    signal_to_noise accumulated{}; ///< of its output in the quantized network
    signal_to_noise isolated{};    ///< of its output where this layer alone is quantized, its input included
    /// The same with one loss source alone, in the order of those that were asked for.
    std::vector<source_quality> sources{};
    range span{};           ///< the range its output's integers are chosen for
    double theoretical = 0; ///< dB, of its output's rounding alone (P1 (8)): beside `of(loss_source::requantization)`

    [[nodiscard]] bool is_linear() const { return facts->traits.linear; }
    /// Of one source alone; refused (`refused`) where it was not asked for.
    [[nodiscard]] const signal_to_noise& of(const loss_source& one) const {
        const auto found = std::ranges::find(sources, &one, &source_quality::source);
        detail::require_count("layer_quality: the source among those measured", 1, found == sources.end() ? 0 : 1,
                              name);
        return found->ratio;
    }
};

/// Measures a quantized network layer by layer: powers are summed over all samples before a ratio is taken. Layers that
/// compute nothing (inputs aside), and conversions, are left out.
/// @param enabled what the quantized network loses by: all of it, unless a part is studied. @param columns the sources
/// that are measured alone: quantization's five, and a program's own if they are among them
inline std::vector<layer_quality> measure_quality(const network_data& deployed, const quantized_data& quantized,
                                                  const sample_reader& samples, std::size_t threads = 1,
                                                  const progress& report = {},
                                                  const loss_sources& enabled = loss_sources::all(),
                                                  const loss_sources& columns = loss_sources::all()) {
    std::vector<source_quality> blank_sources;
    std::vector<loss_sources> sets{enabled};
    for (const loss_source* column : columns.list()) {
        blank_sources.push_back({column});
        sets.emplace_back(*column);
    }
    std::vector<layer_quality> blank;
    std::vector<std::size_t> measured; // nodes of the quantized network
    for (std::size_t i = 0; i < quantized.nodes.size(); ++i) {
        const node& n = quantized.nodes[i];
        if (n.traits().converts || n.traits().moves_no_data) continue;
        const number_format& format = n.numbers.activation;
        measured.push_back(i);
        blank.push_back({.name = std::string(n.name.view()),
                         .facts = n.facts,
                         .depthwise = n.is_depthwise(),
                         .out = n.out,
                         .weight_bits = n.is_linear() ? n.numbers.weight.bits : 32,
                         .activation_bits = format.bits,
                         .sources = blank_sources,
                         .span = format.floating ? range{} : representable(quantized.layers[i].output, format)});
    }
    detail::require_samples(deployed.nodes[0].out.size(), samples);
    const simulation<> floating = float_simulation(deployed);
    const simulation<> integer(quantized, sets);
    std::vector<std::vector<layer_quality>> partial(std::max<std::size_t>(threads, 1), blank);
    in_shares(samples.size, threads, 1, [&](std::size_t share, std::size_t first, std::size_t last) {
        simulation<> reference = floating;
        simulation<> other = integer;
        other.set_sources(enabled);
        std::vector<float> sample(samples.values);
        std::size_t widest = 0;
        for (const node& n : deployed.nodes) widest = (std::max)(widest, n.out.size());
        std::vector<float> alone(widest);
        for (std::size_t s = first; s < last; ++s) {
            samples.read(s, sample);
            std::size_t next = 0; // the float network keeps step, so that both have their tensors in memory
            auto line = partial[share].begin();
            std::size_t at = 0;
            for (std::size_t i = 0; i < quantized.nodes.size(); ++i) {
                const auto old = static_cast<std::size_t>(quantized.origin[i]);
                for (; next <= old; ++next) reference.step(next, sample);
                other.step(i, sample);
                if (at == measured.size() || measured[at] != i) continue;
                const node& n = deployed.nodes[old];
                const std::size_t size = n.out.size();
                line->accumulated.add(reference.tensor(old).data(), other.tensor(i).data(), size);
                std::array<std::span<const float>, max_inputs> inputs{sample};
                for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
                    inputs[k] = reference.tensor(static_cast<std::size_t>(n.inputs[k]));
                other.run_alone(i, inputs, enabled, std::span(alone).first(size));
                line->isolated.add(reference.tensor(old).data(), alone.data(), size);
                for (source_quality& column : line->sources) {
                    other.run_alone(i, inputs, *column.source, std::span(alone).first(size));
                    column.ratio.add(reference.tensor(old).data(), alone.data(), size);
                }
                ++line;
                ++at;
            }
            if (report && share == 0) report(samples.size * (s + 1 - first) / (last - first), samples.size);
        }
    });
    std::vector<layer_quality> lines = partial[0];
    for (std::size_t k = 1; k < partial.size(); ++k)
        for (std::size_t i = 0; i < lines.size(); ++i) {
            lines[i].accumulated += partial[k][i].accumulated;
            lines[i].isolated += partial[k][i].isolated;
            for (std::size_t source = 0; source < lines[i].sources.size(); ++source)
                lines[i].sources[source].ratio += partial[k][i].sources[source].ratio;
        }
    for (layer_quality& line : lines) {
        const double power =
            line.accumulated.signal / static_cast<double>(std::max<std::size_t>(line.accumulated.count, 1));
        line.theoretical = line.activation_bits == 32
                               ? std::numeric_limits<double>::infinity()
                               : theoretical_sqnr(power, static_cast<double>(line.span.min),
                                                  static_cast<double>(line.span.max), line.activation_bits);
    }
    return lines;
}

/// The mean over layers of their outputs' ratios in dB, layers without any error left out.
inline double mean_sqnr(const std::vector<layer_quality>& lines) {
    double sum = 0;
    int count = 0;
    for (const layer_quality& line : lines) {
        const double ratio = line.accumulated.sqnr();
        if (!line.is_linear() || !std::isfinite(ratio)) continue;
        sum += ratio;
        ++count;
    }
    return count == 0 ? std::numeric_limits<double>::infinity() : sum / count;
}

} // namespace statiq
