// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <array>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace example {

namespace {

/// The formats of one kind of numbers at every width, picked when the program runs.
template <class Symmetry, class Granularity>
sq::number_format of_width(int bits) {
    return []<int... Offset>(std::integer_sequence<int, Offset...>, int wanted) {
        constexpr std::array<sq::number_format, sizeof...(Offset)> formats{
            sq::quantized<Offset + 2, Symmetry, Granularity>::format...};
        return formats[static_cast<std::size_t>(wanted - 2)];
    }
    (std::make_integer_sequence<int, 15>{}, bits);
}

int parse_bits(std::string_view text, const std::string& whole) {
    int bits = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
    if (error != std::errc{} || end != text.data() + text.size() || !(bits == 32 || (bits >= 2 && bits <= 16)))
        throw std::invalid_argument("bits '" + whole + "': expected 2 to 16, or 32 for float, found '" +
                                    std::string(text) + "'");
    return bits;
}

template <class Pairs>
std::string listed(const Pairs& names) {
    std::string text;
    for (const auto& [name, meaning] : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

} // namespace

const std::vector<std::pair<std::string, std::string>>& scheme_names() {
    static const std::vector<std::pair<std::string, std::string>> names{
        {"asymmetric_tensor", "weights with a zero point, one scale a tensor"},
        {"symmetric_tensor", "weights symmetric, restricted range, one scale a tensor"},
        {"asymmetric_channel", "weights with a zero point, one scale an output channel"},
        {"symmetric_channel", "weights symmetric, restricted range, one scale an output channel"},
        {"symmetric_group32", "weights symmetric, one scale for 32 inputs (float activations: --bits W,32)"},
    };
    return names;
}

const std::vector<std::pair<std::string, std::string>>& observer_names() {
    static const std::vector<std::pair<std::string, std::string>> names{
        {"min_max", "least and greatest value"},
        {"moving_average", "of batches' ends, momentum 0.95"},
        {"percentile", "99.99 percent"},
        {"percentile_99.9", "99.9 percent"},
        {"entropy", "least Kullback-Leibler divergence, 2048 bins"},
        {"entropy_without_zeros", "the same, the first bin left out"},
        {"least_squares", "least mean squared error, by search over 2048 bins"},
    };
    return names;
}

const std::vector<std::pair<std::string, std::string>>& repair_names() {
    static const std::vector<std::pair<std::string, std::string>> names{
        {"variance", "dead channels take the mean variance of the others when batch norm is folded"},
        {"relu", "ReLU for ReLU6"},
        {"equalize", "cross-layer equalization (across ReLU: with relu)"},
        {"bias", "empirical bias correction on the calibration images"},
    };
    return names;
}

sq::number_format weight_format(const std::string& scheme_name, int bits) {
    if (bits == 32) return {};
    if (scheme_name == "asymmetric_tensor") return of_width<sq::asymmetric, sq::per_tensor>(bits);
    if (scheme_name == "symmetric_tensor") return of_width<sq::symmetric, sq::per_tensor>(bits);
    if (scheme_name == "asymmetric_channel") return of_width<sq::asymmetric, sq::per_channel>(bits);
    if (scheme_name == "symmetric_channel") return of_width<sq::symmetric, sq::per_channel>(bits);
    if (scheme_name == "symmetric_group32") return of_width<sq::symmetric, sq::per_group<32>>(bits);
    throw std::invalid_argument("scheme '" + scheme_name + "': expected one of " + listed(scheme_names()));
}

scheme make_scheme(const std::string& name, const std::string& bits) {
    const auto comma = bits.find(',');
    if (comma == std::string::npos)
        throw std::invalid_argument("bits '" + bits + "': expected two numbers, weights and activations, as in 8,8");
    const int weight = parse_bits(std::string_view(bits).substr(0, comma), bits);
    const int activation = parse_bits(std::string_view(bits).substr(comma + 1), bits);
    // Appended, because GCC 12 warns wrongly of a literal plus a number's text.
    scheme made{.name = name, .float_weights = weight == 32};
    made.name.append(weight == 32 ? " float" : " W").append(weight == 32 ? "" : std::to_string(weight));
    if (activation != 32) made.name.append("A").append(std::to_string(activation));
    // Weights that stay float are quantized all the same, and not used.
    made.numbers.weight = weight_format(name, weight == 32 && activation != 32 ? 8 : weight);
    made.numbers.dense_weight = made.numbers.weight;
    if (activation != 32) made.numbers.activation = of_width<sq::asymmetric, sq::per_tensor>(activation);
    return made;
}

sq::any_observer make_observer(const std::string& name, const sq::number_format& activation) {
    if (name == "min_max") return sq::min_max{};
    if (name == "moving_average") return sq::moving_average{};
    if (name == "percentile") return sq::percentile{};
    if (name == "percentile_99.9") return sq::percentile{.share = 99.9};
    if (name == "entropy" || name == "entropy_without_zeros")
        return sq::entropy{.levels = activation.floating ? 128 : std::size_t{1} << (activation.bits - 1),
                           .first_bin = name == "entropy"};
    if (name == "least_squares") return sq::least_squares{.format = activation};
    throw std::invalid_argument("observer '" + name + "': expected one of " + listed(observer_names()));
}

sq::layer_override make_override(const std::string& text, const std::string& scheme_name) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
        throw std::invalid_argument("override '" + text + "': expected layer=bits, as in dw1=8 or fc=8,16");
    const std::string bits = text.substr(equals + 1);
    const auto comma = bits.find(',');
    sq::layer_override made{.layer = sq::label{} + std::string_view(text).substr(0, equals)};
    made.numbers.chosen_weight = true;
    made.numbers.weight = weight_format(scheme_name, parse_bits(std::string_view(bits).substr(0, comma), text));
    if (comma != std::string::npos) {
        made.numbers.chosen_activation = true;
        const int activation = parse_bits(std::string_view(bits).substr(comma + 1), text);
        if (activation != 32) made.numbers.activation = of_width<sq::asymmetric, sq::per_tensor>(activation);
    }
    return made;
}

} // namespace example
