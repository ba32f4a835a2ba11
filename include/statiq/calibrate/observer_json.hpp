// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/calibration.hpp>
#include <statiq/calibrate/observer_choice.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <utility>

/// Observers' states as JSON: what one machine has seen is stored, sent, and merged on another.
namespace statiq {

// ---- pieces; floats are written so that they read back the same ------------------------------------------------

inline nlohmann::json stored(const extremes& e) { return e.empty() ? nlohmann::json() : nlohmann::json{e.min, e.max}; }
inline void restore(const nlohmann::json& from, extremes& to) {
    to = {};
    if (!from.is_null()) to = {from.at(0).get<float>(), from.at(1).get<float>()};
}
inline nlohmann::json stored(const range& r) { return nlohmann::json{r.min, r.max}; }
inline void restore(const nlohmann::json& from, range& to) { to = {from.at(0).get<float>(), from.at(1).get<float>()}; }

inline nlohmann::json stored(const number_format& f) {
    return {{"floating", f.floating},
            {"bits", f.bits},
            {"lowest", f.lowest},
            {"highest", f.highest},
            {"zero_point", f.has_zero_point},
            {"per", static_cast<int>(f.per)},
            {"group", f.group}};
}
inline void restore(const nlohmann::json& from, number_format& to) {
    to = {.floating = from.at("floating"),
          .bits = from.at("bits"),
          .lowest = from.at("lowest"),
          .highest = from.at("highest"),
          .has_zero_point = from.at("zero_point"),
          .per = static_cast<granularity>(from.at("per").get<int>()),
          .group = from.at("group")};
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
void restore_histogram(const nlohmann::json& from, histogram_state<Absolute>& to) {
    to.bins = from.at("bins");
    restore(from.at("seen"), to.seen);
    to.counted = {from.at("low"), from.at("high"), from.at("counts").get<std::vector<std::uint64_t>>()};
}

// ---- states ----------------------------------------------------------------------------------------------------

inline nlohmann::json stored(const min_max::state& s) { return {{"observer", "min_max"}, {"seen", stored(s.seen)}}; }
inline void restore(const nlohmann::json& from, min_max::state& to) { restore(from.at("seen"), to.seen); }

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
    to.momentum = from.at("momentum");
    restore(from.at("batch"), to.batch);
    restore(from.at("average"), to.average);
    restore(from.at("first"), to.first);
    to.batches = from.at("batches");
    to.over = from.at("over");
}

inline nlohmann::json stored(const percentile::state& s) {
    nlohmann::json to = stored_histogram(s);
    to["observer"] = "percentile";
    to["share"] = s.share;
    return to;
}
inline void restore(const nlohmann::json& from, percentile::state& to) {
    restore_histogram(from, to);
    to.share = from.at("share");
}

inline nlohmann::json stored(const entropy::state& s) {
    nlohmann::json to = stored_histogram(s);
    to["observer"] = "entropy";
    to["levels"] = s.levels;
    to["first_bin"] = s.first_bin;
    return to;
}
inline void restore(const nlohmann::json& from, entropy::state& to) {
    restore_histogram(from, to);
    to.levels = from.at("levels");
    to.first_bin = from.at("first_bin");
}

inline nlohmann::json stored(const least_squares::state& s) {
    nlohmann::json to = stored_histogram(s);
    to["observer"] = "least_squares";
    to["format"] = stored(s.format);
    to["steps"] = s.steps;
    return to;
}
inline void restore(const nlohmann::json& from, least_squares::state& to) {
    restore_histogram(from, to);
    restore(from.at("format"), to.format);
    to.steps = from.at("steps");
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

/// Reads back what `stored` wrote into a calibration that was begun for the same network by the same observers.
/// @throws calibration_error naming what does not fit
template <observer Observer>
void restore(const nlohmann::json& from, calibration<Observer>& to) {
    const auto refuse = [](const std::string& what) { throw calibration_error("stored observations: " + what); };
    try {
        const nlohmann::json& layers = from.at("layers");
        if (layers.size() != to.nodes().size())
            refuse("expected " + std::to_string(to.nodes().size()) + " layers, found " + std::to_string(layers.size()));
        for (std::size_t i = 0; i < to.nodes().size(); ++i) {
            const std::string name(to.nodes()[i].name.view());
            const auto found = layers[i].at("layer").template get<std::string>();
            if (found != name) refuse("expected layer '" + name + "', found '" + found + "'");
            const nlohmann::json& state = layers[i].at("state");
            const nlohmann::json begun = stored(to.states()[i]);
            if (state.at("observer") != begun.at("observer"))
                refuse("layer '" + name + "': expected the observer " +
                       begun.at("observer").template get<std::string>() + ", found " + state.at("observer").dump());
            restore(state, to.states()[i]);
        }
    } catch (const nlohmann::json::exception& error) {
        refuse(error.what());
    }
}

} // namespace statiq
