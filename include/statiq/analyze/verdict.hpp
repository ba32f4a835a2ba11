// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/analyze/distribution.hpp>
#include <statiq/analyze/signal_to_noise.hpp>
#include <statiq/analyze/table.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace statiq {

/// Whether a layer is fit for integers of one scale a tensor (P4 section 3: C1, its weights are distributed in a
/// friendly way, and C2, its activations are), and why not.
struct layer_verdict {
    bool weights_friendly = true;     ///< C1
    bool activations_friendly = true; ///< C2
    std::string text{};               ///< one or more sentences that name channels and numbers
};

/// What 8-bit rounding alone leaves less than this ratio, of the median channel's weights or of a layer's outputs, is
/// called unfriendly. (A normal distribution cut at
/// 4 deviations has 41 dB.)
inline constexpr double friendly_sqnr = 30;

namespace detail {

inline std::string number_text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}
/// "channel 17's variance" and "channels 3, 17 and 2 more".
inline std::string channels_text(const std::vector<std::size_t>& channels) {
    std::string text = channels.size() == 1 ? "channel " : "channels ";
    const std::size_t shown = channels.size() <= 4 ? channels.size() : 3;
    for (std::size_t i = 0; i < shown; ++i) {
        if (i > 0) text += i + 1 == channels.size() ? " and " : ", ";
        text += std::to_string(channels[i]);
    }
    if (shown < channels.size()) text.append(" and ").append(std::to_string(channels.size() - shown)).append(" more");
    return text;
}

/// What is said of channels that batch norm has made too large.
inline std::string outliers_text(const layer_distribution& layer, const std::vector<std::size_t>& which, bool dead) {
    const bool several = which.size() > 1;
    std::size_t worst = which[0];
    for (const std::size_t c : which)
        if (layer.deployed.channel_ranges[c] > layer.deployed.channel_ranges[worst]) worst = c;
    const channel_scale& scale = layer.channels[worst];
    const double range = static_cast<double>(layer.deployed.channel_ranges[worst]);
    const double levels = 2 * 255 * static_cast<double>(layer.deployed.median_range()) /
                          (layer.deployed.values.max - layer.deployed.values.min);
    std::string text = channels_text(which) + (dead ? " hardly varies (" : " is scaled up (");
    if (several) text = channels_text(which) + (dead ? " hardly vary (" : " are scaled up (");
    if (several) text.append("channel ").append(std::to_string(worst)).append(": ");
    text += "variance " + number_text(scale.variance) + ", scale " + number_text(scale.alpha) + ")";
    text += several ? "; their weights reach " : "; its weights reach ";
    text += number_text(range) + ", the median channel's " +
            number_text(static_cast<double>(layer.deployed.median_range())) + ", for which " + number_text(levels) +
            " of 255 steps are left";
    return text;
}

} // namespace detail

/// Judges a layer. The text says what is wrong and what would mend it, or that nothing is.
inline layer_verdict judge(const layer_distribution& layer) {
    layer_verdict verdict;
    const weight_distribution& weights = layer.deployed;
    verdict.weights_friendly = weights.median_channel_sqnr >= friendly_sqnr;
    const auto activation_ratio =
        layer.activations.count == 0
            ? std::numeric_limits<double>::infinity()
            : theoretical_sqnr(layer.activations.power(), (std::min)(0.0, layer.activations.min),
                               (std::max)(0.0, layer.activations.max), 8);
    verdict.activations_friendly = !(activation_ratio < friendly_sqnr);

    std::vector<std::size_t> dead;
    std::vector<std::size_t> starving; // dead, and large
    std::vector<std::size_t> large;
    for (std::size_t c = 0; c < layer.channels.size(); ++c) {
        if (layer.channels[c].dead) dead.push_back(c);
        if (layer.channels[c].outlier) (layer.channels[c].dead ? starving : large).push_back(c);
    }
    std::string& text = verdict.text;
    const auto say = [&text](std::string sentence) {
        if (sentence[0] >= 'a' && sentence[0] <= 'z') sentence[0] = static_cast<char>(sentence[0] - 'a' + 'A');
        text += (text.empty() ? "" : " ") + sentence + ".";
    };
    if (!starving.empty())
        say(detail::outliers_text(layer, starving, true) + ": repair the variance, or quantize per channel");
    if (!large.empty())
        say(detail::outliers_text(layer, large, false) + ": equalize (across ReLU), or quantize per channel");
    if (!verdict.weights_friendly && starving.empty() && large.empty())
        say("the channels' weights differ by a factor of " + detail::number_text(weights.spread()) +
            " from the median: equalize (across ReLU), or quantize per channel");
    if (!verdict.weights_friendly)
        say("with 8 bits and one scale the median channel's weights keep " + fixed(weights.median_channel_sqnr, 1) +
            " dB, with a scale each " + fixed(weights.sqnr_per_channel, 1) + " dB");
    if (!verdict.activations_friendly)
        say("its outputs span " + detail::number_text(layer.activations.min) + " to " +
            detail::number_text(layer.activations.max) + " at a deviation of " +
            detail::number_text(layer.activations.deviation()) +
            ": outliers take the range; clip by percentile, or "
            "train with batch norm behind the sum");
    if (layer.clipped_sqnr < friendly_sqnr)
        say("its activation cuts off " + detail::number_text(100 * layer.clipped_share) + "% of the values, " +
            fixed(layer.clipped_sqnr, 1) + " dB: that is in the float network too; consider ReLU");
    if (text.empty()) {
        say("fit for 8 bits and one scale: the median channel's weights keep " + fixed(weights.median_channel_sqnr, 1) +
            " dB" + (layer.activations.count == 0 ? std::string() : ", outputs " + fixed(activation_ratio, 1) + " dB"));
    }
    if (!dead.empty() && starving.empty())
        say(detail::channels_text(dead) + (dead.size() == 1 ? " is" : " are") + " constant, and harmless");
    return verdict;
}

} // namespace statiq
