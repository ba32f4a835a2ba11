// SPDX-License-Identifier: Apache-2.0
#include "rules.hpp"

#include <statiq/train/custom_l2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <stdexcept>

namespace train {

namespace {

std::string text_of(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", value);
    return text;
}

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
    return parts;
}

sq::schedule make_schedule(const options& chosen, std::uint64_t steps) {
    const auto warm = static_cast<std::uint64_t>(std::llround(chosen.warm_up * static_cast<double>(steps)));
    const std::uint64_t all = chosen.epochs * steps;
    sq::schedule rate = sq::constant_rate{chosen.rate};
    if (chosen.schedule == "step")
        rate = sq::step_decay{chosen.rate, std::max<std::uint64_t>(1, chosen.step_epochs * steps), chosen.step_factor};
    if (chosen.schedule == "cosine")
        rate = sq::cosine_decay{chosen.rate, std::max<std::uint64_t>(1, all - std::min(all, warm))};
    return warm > 0 ? sq::schedule(sq::warm_up{warm, rate}) : rate;
}

std::vector<sq::penalty> make_penalties(const options& chosen, std::span<const sq::node> nodes) {
    const std::vector<std::string> without = split(chosen.no_decay);
    for (const std::string& layer : without)
        if (std::ranges::none_of(nodes, [&](const sq::node& n) { return n.name.view() == layer; }))
            throw std::invalid_argument("--no-decay '" + layer + "': the network has no layer of this name");
    std::vector<sq::penalty> penalties;
    sq::trainable_choice decayed = sq::outside(without, sq::is_weight);
    if (chosen.custom_l2 != "none") {
        const sq::trainable_choice kernels = sq::is_branch_kernel(nodes);
        decayed = [decayed, kernels](const sq::trainable& one) { return decayed(one) && !kernels(one); };
        const auto kind = chosen.custom_l2 == "divided" ? sq::kernel_penalty::divided : sq::kernel_penalty::undivided;
        if (chosen.decay > 0) penalties.emplace_back(sq::custom_l2_penalty{nodes, chosen.decay, kind});
    }
    if (chosen.decay > 0) penalties.emplace_back(sq::l2_penalty{chosen.decay, decayed});
    if (chosen.l2_depthwise > 0) penalties.emplace_back(sq::l2_penalty{chosen.l2_depthwise, sq::is_depthwise_weight});
    return penalties;
}

} // namespace

const std::vector<std::pair<std::string, std::string>>& optimizer_names() {
    static const std::vector<std::pair<std::string, std::string>> names{
        {"sgd", "gradient descent with momentum"},
        {"nesterov", "the same, looking ahead"},
        {"adam", "Adam; decay is part of its gradient"},
    };
    return names;
}
const std::vector<std::pair<std::string, std::string>>& schedule_names() {
    static const std::vector<std::pair<std::string, std::string>> names{
        {"constant", "the same rate always"},
        {"step", "times --step-factor every --step-epochs epochs"},
        {"cosine", "half a cosine from the rate to zero at the last epoch"},
    };
    return names;
}
const std::vector<std::pair<std::string, std::string>>& augmentation_names() {
    static const std::vector<std::pair<std::string, std::string>> names{
        {"none", "images as they are"},         {"shift", "moved by up to one pixel"},
        {"flip", "mirrored every second time"}, {"crop", "moved by up to four pixels"},
        {"crop_flip", "both of the last two"},
    };
    return names;
}
const std::vector<std::pair<std::string, std::string>>& custom_l2_names() {
    static const std::vector<std::pair<std::string, std::string>> names{
        {"none", "kernels of branches decay as all weights"},
        {"divided", "RepVGG's penalty of the merged kernel, P4 (5)"},
        {"undivided", "the same without its denominator, P4 (6)"},
    };
    return names;
}

const std::vector<std::pair<std::string, std::string>>& folding_names() {
    static const std::vector<std::pair<std::string, std::string>> names{
        {"frozen", "by moving statistics, which stay (P6)"},
        {"naive", "by each batch's own"},
        {"corrected", "by moving statistics, sums corrected to the batch's (P2 (22)-(27))"},
    };
    return names;
}
const std::vector<std::pair<std::string, std::string>>& estimator_names() {
    static const std::vector<std::pair<std::string, std::string>> names{
        {"masked", "gradients stop where activations saturate (P2 (15))"},
        {"identity", "gradients pass everywhere (P6)"},
    };
    return names;
}
const std::vector<std::pair<std::string, std::string>>& rounding_names() {
    static const std::vector<std::pair<std::string, std::string>> names{
        {"deployed", "as the integer network rounds"},
        {"half_even", "to the nearest, ties to even"},
        {"half_up", "to the nearest, ties up"},
        {"stochastic", "up with the probability that keeps the mean"},
    };
    return names;
}

std::optional<fake_quantization> make_fake_quantization(const options& chosen, std::uint64_t steps) {
    if (chosen.fake_quantize.empty()) return std::nullopt;
    fake_quantization made{.scheme = chosen.scheme, .masked = chosen.estimator == "masked"};
    const std::vector<std::string> widths = split(chosen.fake_quantize);
    const auto is_width = [](const std::string& text) { return text.size() == 1 && text[0] >= '2' && text[0] <= '8'; };
    if (widths.size() != 2 || !std::ranges::all_of(widths, is_width))
        throw std::invalid_argument("--fake-quantize '" + chosen.fake_quantize +
                                    "': expected two numbers of bits, weights and activations, as in 8,8");
    made.weight_bits = widths[0][0] - '0';
    made.activation_bits = widths[1][0] - '0';
    const auto steps_of = [steps](double epochs) {
        return static_cast<std::uint64_t>(std::llround(epochs * static_cast<double>(steps)));
    };
    sq::quantized_training_rule& rule = made.rule;
    if (chosen.folding == "naive") rule.folding = sq::norm_folding::naive;
    if (chosen.folding == "corrected") rule.folding = sq::norm_folding::corrected;
    if (chosen.freeze > 0) rule.freeze_after = steps_of(chosen.freeze);
    rule.ranges = {.momentum = static_cast<float>(chosen.range_momentum), .delay = steps_of(chosen.range_delay)};
    if (chosen.rounding == "half_even") rule.rounding = sq::training_rounding::half_even;
    if (chosen.rounding == "half_up") rule.rounding = sq::training_rounding::half_up;
    if (chosen.rounding == "stochastic") rule.rounding = sq::training_rounding::stochastic;
    rule.seed = chosen.seed;
    return made;
}

sq::fit_rules make_rules(const options& chosen, std::span<const sq::node> nodes, std::uint64_t steps) {
    sq::fit_rules rules{.loss = sq::softmax_cross_entropy{chosen.smoothing}, .rate = make_schedule(chosen, steps)};
    if (chosen.optimizer == "adam")
        rules.update = sq::adam{};
    else
        rules.update = sq::sgd{.momentum = chosen.momentum, .nesterov = chosen.optimizer == "nesterov"};
    rules.penalties = make_penalties(chosen, nodes);
    if (chosen.average > 0) rules.average_decay = chosen.average;
    return rules;
}

sq::augmentation make_augmentation(const std::string& name) {
    if (name == "shift") return {.padding = 1};
    if (name == "flip") return {.flip = true};
    if (name == "crop") return {.padding = 4};
    if (name == "crop_flip") return {.padding = 4, .flip = true};
    return {};
}

sq::io::safetensors_metadata settings_of(const options& chosen) {
    // Only a cosine knows when it ends; other trainings may go on for longer than was first thought.
    const bool ends = chosen.schedule == "cosine";
    return {{"network", chosen.network},
            {"epochs", ends ? std::to_string(chosen.epochs) : "any number"},
            {"batch", std::to_string(chosen.batch)},
            {"augment", chosen.augment},
            {"optimizer", chosen.optimizer},
            {"momentum", text_of(chosen.momentum)},
            {"rate", text_of(chosen.rate)},
            {"schedule", chosen.schedule},
            {"step_epochs", std::to_string(chosen.step_epochs)},
            {"step_factor", text_of(chosen.step_factor)},
            {"warm_up", text_of(chosen.warm_up)},
            {"smoothing", text_of(chosen.smoothing)},
            {"decay", text_of(chosen.decay)},
            {"l2_depthwise", text_of(chosen.l2_depthwise)},
            {"custom_l2", chosen.custom_l2},
            {"no_decay", chosen.no_decay},
            {"average", text_of(chosen.average)},
            {"fake_quantize", chosen.fake_quantize},
            {"scheme", chosen.fake_quantize.empty() ? "" : chosen.scheme},
            {"folding", chosen.folding},
            {"estimator", chosen.estimator},
            {"rounding", chosen.rounding},
            {"freeze", text_of(chosen.freeze)},
            {"range_delay", text_of(chosen.range_delay)},
            {"range_momentum", text_of(chosen.range_momentum)}};
}

} // namespace train
