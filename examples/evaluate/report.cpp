// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <statiq/analyze/report.hpp>
#include <statiq/analyze/table.hpp>

#include <nlohmann/json.hpp>

#include <cmath>

namespace evaluate {

namespace {

using nlohmann::json;

std::string percent(double value) { return value < 0 ? "-" : sq::fixed(value, 2); }

std::vector<std::string> row(const std::string& name, const accuracy& a, bool classifies) {
    return {name, classifies ? percent(a.top1) : "-", classifies ? percent(a.top5) : "-",
            classifies ? percent(a.agreement) : "-", sq::decibels(a.output.sqnr())};
}

json number(double value) { return std::isfinite(value) ? json(value) : json(); }
json share(double value) { return value < 0 ? json() : json(value); }

json stored(const sq::signal_to_noise& s) {
    return {{"sqnr", number(s.sqnr())}, {"mse", s.mean_squared_error()}, {"signal", s.signal}, {"noise", s.noise}};
}
json stored(const accuracy& a, const evaluation& of) {
    json made{{"output", stored(a.output)}};
    if (of.classifies)
        made.update({{"top1", share(a.top1)}, {"top5", share(a.top5)}, {"agreement", share(a.agreement)}});
    return made;
}
json stored(const std::vector<sq::source_quality>& sources) {
    json made;
    for (const auto& [source, ratio] : sources) made[std::string(source->name)] = stored(ratio);
    return made;
}
json stored(const sq::layer_quality& l) {
    return {{"layer", l.name},
            {"operation", std::string(l.facts->word)},
            {"depthwise", l.depthwise},
            {"weight_bits", l.weight_bits},
            {"activation_bits", l.activation_bits},
            {"accumulated", stored(l.accumulated)},
            {"isolated", stored(l.isolated)},
            {"sources", stored(l.sources)},
            {"range", {l.span.min, l.span.max}},
            {"theoretical_sqnr", number(l.theoretical)}};
}
json stored(const sq::moments& m) {
    return {{"min", number(m.min)}, {"max", number(m.max)}, {"mean", m.mean()}, {"deviation", m.deviation()}};
}
json stored(const sq::weight_distribution& w) {
    json made = stored(w.values);
    made.update({{"energies", w.energies},
                 {"energies_lowest_decade", sq::energy_lowest_decade},
                 {"channel_ranges", w.channel_ranges},
                 {"sqnr_per_tensor", number(w.sqnr_per_tensor)},
                 {"sqnr_per_channel", number(w.sqnr_per_channel)},
                 {"median_channel_sqnr", number(w.median_channel_sqnr)}});
    return made;
}
json stored(const sq::layer_distribution& d, const sq::layer_verdict& verdict) {
    json made{{"layer", d.name},
              {"depthwise", d.depthwise},
              {"trained", stored(d.trained)},
              {"deployed", stored(d.deployed)},
              {"activations", stored(d.activations)},
              {"before_activation", stored(d.before_activation)},
              {"clipped_share", d.clipped_share},
              {"clipped_sqnr", number(d.clipped_sqnr)},
              {"verdict",
               {{"weights_friendly", verdict.weights_friendly},
                {"activations_friendly", verdict.activations_friendly},
                {"text", verdict.text}}}};
    json& channels = made["channels"] = json::array();
    for (const auto& c : d.channels)
        channels.push_back({{"gamma", c.gamma},
                            {"variance", c.variance},
                            {"alpha", c.alpha},
                            {"dead", c.dead},
                            {"outlier", c.outlier}});
    return made;
}

} // namespace

std::string table_of(const evaluation& result) {
    sq::table lines({"scheme", "top-1", "top-5", "agreement", "SQNR dB", "mean SQNR dB", "weights kB"});
    lines.add(row("float", result.floating, result.classifies));
    if (result.repaired) lines.add(row("float, repaired", *result.repaired, result.classifies));
    for (const scheme_result& s : result.schemes) {
        auto cells = row(s.how.name, s.reached, result.classifies);
        cells.push_back(sq::decibels(s.mean_sqnr));
        cells.push_back(s.weight_bits == 0 ? "float" : sq::fixed(static_cast<double>(s.weight_bits) / 8000, 1));
        lines.add(std::move(cells));
    }
    return lines.text();
}

std::string layer_tables_of(const evaluation& result) {
    std::string text;
    for (const scheme_result& s : result.schemes) {
        std::vector<std::string> head{"layer", "numbers", "SQNR dB", "MSE", "alone"};
        if (!s.layers.empty())
            for (const sq::source_quality& source : s.layers[0].sources) head.emplace_back(source.source->name);
        head.emplace_back("theory");
        sq::table lines(head);
        for (const sq::layer_quality& l : s.layers) {
            std::string numbers;
            if (l.is_linear()) numbers.append("W").append(std::to_string(l.weight_bits));
            if (l.activation_bits != 32) numbers.append("A").append(std::to_string(l.activation_bits));
            std::vector<std::string> cells{l.name, numbers, sq::decibels(l.accumulated.sqnr())};
            char error[32];
            std::snprintf(error, sizeof error, "%.3g", l.accumulated.mean_squared_error());
            cells.emplace_back(error);
            cells.push_back(sq::decibels(l.isolated.sqnr()));
            for (const auto& source : l.sources) cells.push_back(sq::decibels(source.ratio.sqnr()));
            cells.push_back(sq::decibels(l.theoretical));
            lines.add(std::move(cells));
        }
        text += "\n" + s.how.name +
                ": each layer's output against float; alone: this layer only, and its loss sources\n" + lines.text();
    }
    text += "\nverdicts\n";
    for (std::size_t i = 0; i < result.distributions.size(); ++i) {
        const sq::layer_verdict& v = result.verdicts[i];
        text += result.distributions[i].name + ": " + (v.weights_friendly ? "" : "[C1] ") +
                (v.activations_friendly ? "" : "[C2] ") + v.text + "\n";
    }
    return text;
}

std::string json_of(const evaluation& result, const options& chosen) {
    json made{{"network", chosen.network},
              {"images", result.images},
              {"classifies", result.classifies},
              {"settings",
               {{"weights", chosen.weights.filename().string()},
                {"calibration_images", chosen.calibration_count},
                {"layer_images", chosen.layer_images},
                {"observer", chosen.observer},
                {"repairs", chosen.repairs},
                {"schemes", chosen.schemes},
                {"bits", chosen.bits},
                {"overrides", chosen.overrides}}},
              {"float", stored(result.floating, result)}};
    if (result.repaired) made["float_repaired"] = stored(*result.repaired, result);
    json& schemes = made["schemes"] = json::array();
    for (const scheme_result& s : result.schemes) {
        json line = stored(s.reached, result);
        line["name"] = s.how.name;
        line["mean_sqnr"] = number(s.mean_sqnr);
        line["weight_bits"] = s.weight_bits;
        line["sources"] = stored(s.sources);
        json& widths = line["widths"] = json::object();
        for (const auto& o : s.how.layers) widths[std::string(o.layer.view())] = o.numbers.weight.bits;
        json& layers = line["layers"] = json::array();
        for (const auto& l : s.layers) layers.push_back(stored(l));
        schemes.push_back(std::move(line));
    }
    json& distributions = made["distributions"] = json::array();
    for (std::size_t i = 0; i < result.distributions.size(); ++i)
        distributions.push_back(stored(result.distributions[i], result.verdicts[i]));
    return made.dump(1);
}

} // namespace evaluate
