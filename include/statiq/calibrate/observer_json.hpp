// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/calibration.hpp>
#include <statiq/calibrate/observer_choice.hpp>
#include <statiq/calibrate/stored_fields.hpp>
#include <statiq/exceptions.hpp>
#include <statiq/graph/printable.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// Observers' states as JSON: what one machine has seen is stored, sent, and merged on another. A state is restored
/// into one that was begun with the same settings; every field is checked.
namespace statiq {

// ---- pieces; floats are written so that they read back the same ------------------------------------------------

inline nlohmann::json stored(const extremes& e) { return e.empty() ? nlohmann::json() : nlohmann::json{e.min, e.max}; }
inline nlohmann::json stored(const range& r) { return nlohmann::json{r.min, r.max}; }

inline nlohmann::json stored(const number_format& f) {
    return {{"floating", f.floating},
            {"bits", f.bits},
            {"lowest", f.lowest},
            {"highest", f.highest},
            {"zero_point", f.has_zero_point},
            {"per", static_cast<int>(f.per)},
            {"group", f.group}};
}

template <bool Absolute>
nlohmann::json stored_histogram(const histogram_state<Absolute>& s) {
    return {{"bins", s.bins},
            {"seen", stored(s.seen)},
            {"low", s.counted.low},
            {"high", s.counted.high},
            {"counts", s.counted.counts}};
}
template <bool Absolute>
void restore_histogram(const detail::stored_fields& from, histogram_state<Absolute>& to) {
    from.require_same("bins", to.bins);
    to.seen = from.extremes_or_none("seen");
    to.counted = {from.real("low"), from.real("high"), from.counts("counts", to.bins)};
    if (Absolute && to.counted.low != 0) from.refuse("low", "0, where magnitudes begin", to.counted.low);
    if (to.counted.low > to.counted.high) from.refuse("high", "at least the field 'low'", to.counted.high);
}

/// The most batches that a stored state may have seen.
inline constexpr std::int64_t most_stored_batches = std::int64_t{1} << 30;

// ---- states ----------------------------------------------------------------------------------------------------

inline nlohmann::json stored(const min_max::state& s) { return {{"observer", "min_max"}, {"seen", stored(s.seen)}}; }
inline void restore(const nlohmann::json& from, min_max::state& to) {
    to.seen = detail::stored_fields(from).extremes_or_none("seen");
}

inline nlohmann::json stored(const moving_average::state& s) {
    return {{"observer", "moving_average"},
            {"momentum", s.momentum},
            {"batch", stored(s.batch)},
            {"average", stored(s.average)},
            {"first", stored(s.first)},
            {"batches", s.batches},
            {"over", s.over}};
}
inline void restore(const nlohmann::json& from, moving_average::state& to) {
    const detail::stored_fields fields(from);
    fields.require_same("momentum", to.momentum);
    to.batch = fields.extremes_or_none("batch");
    to.average = fields.ends("average");
    to.first = fields.ends("first");
    to.batches = fields.count("batches", most_stored_batches);
    to.over = fields.truth("over");
}

inline nlohmann::json stored(const percentile::state& s) {
    nlohmann::json to = stored_histogram(s);
    to["observer"] = "percentile";
    to["share"] = s.share;
    return to;
}
inline void restore(const nlohmann::json& from, percentile::state& to) {
    const detail::stored_fields fields(from);
    restore_histogram(fields, to);
    fields.require_same("share", to.share);
}

inline nlohmann::json stored(const entropy::state& s) {
    nlohmann::json to = stored_histogram(s);
    to["observer"] = "entropy";
    to["levels"] = s.levels;
    to["first_bin"] = s.first_bin;
    return to;
}
inline void restore(const nlohmann::json& from, entropy::state& to) {
    const detail::stored_fields fields(from);
    restore_histogram(fields, to);
    fields.require_same("levels", to.levels);
    fields.require_same("first_bin", to.first_bin);
}

inline nlohmann::json stored(const least_squares::state& s) {
    nlohmann::json to = stored_histogram(s);
    to["observer"] = "least_squares";
    to["format"] = stored(s.format);
    to["steps"] = s.steps;
    return to;
}
inline void restore(const nlohmann::json& from, least_squares::state& to) {
    const detail::stored_fields fields(from);
    restore_histogram(fields, to);
    fields.require_same("format", stored(to.format));
    fields.require_same("steps", to.steps);
}

inline nlohmann::json stored(const observer_choice::state& s) {
    return std::visit([](const auto& one) { return stored(one); }, s.get());
}
inline void restore(const nlohmann::json& from, observer_choice::state& to) {
    std::visit([&from](auto& one) { restore(from, one); }, to.get());
}

// ---- calibrations ----------------------------------------------------------------------------------------------

/// Everything seen, by layer.
template <observer Observer>
nlohmann::json stored(const calibration<Observer>& from) {
    nlohmann::json layers = nlohmann::json::array();
    for (std::size_t i = 0; i < from.states().size(); ++i)
        layers.push_back({{"layer", std::string(from.nodes()[i].name.view())}, {"state", stored(from.states()[i])}});
    return {{"statiq", "calibration"}, {"layers", std::move(layers)}};
}

/// Reads back what `stored` wrote into a calibration that was begun for the same network by the same observers, or
/// changes nothing.
/// @throws calibration_error naming the layer and the field that does not fit, what was expected and what was found
template <observer Observer>
void restore(const nlohmann::json& from, calibration<Observer>& to) {
    const auto refuse = [](const std::string& what) { throw calibration_error("stored observations: " + what); };
    std::vector<typename Observer::state> read(to.states().begin(), to.states().end());
    try {
        const detail::stored_fields whole(from);
        const nlohmann::json& layers = whole.at("layers");
        whole.require_same("statiq", "calibration");
        if (!layers.is_array()) whole.refuse("layers", "an array", layers);
        if (layers.size() != to.nodes().size())
            refuse("expected " + std::to_string(to.nodes().size()) + " layers, found " + std::to_string(layers.size()));
        for (std::size_t i = 0; i < to.nodes().size(); ++i) {
            const detail::stored_fields layer(layers[i]);
            const std::string name = detail::printable(to.nodes()[i].name.view());
            const std::string found = detail::printable(layer.text("layer"));
            if (found != name) refuse("expected layer " + name + ", found " + found);
            const nlohmann::json& state = layer.at("state");
            const nlohmann::json& seen_by = detail::stored_fields(state).at("observer");
            const nlohmann::json begun = stored(read[i]);
            if (seen_by != begun.at("observer"))
                refuse("layer " + name + ": expected the observer " + begun.at("observer").template get<std::string>() +
                       ", found " + detail::shown(seen_by));
            try {
                restore(state, read[i]);
            } catch (const detail::field_error& error) {
                refuse("layer " + name + ": " + error.text());
            }
        }
    } catch (const detail::field_error& error) {
        refuse(error.text());
    } catch (const nlohmann::json::exception& error) {
        refuse("expected what `stored` makes of this observer's state, found " + detail::printable(error.what()));
    }
    std::ranges::move(read, to.states().begin());
}

} // namespace statiq
