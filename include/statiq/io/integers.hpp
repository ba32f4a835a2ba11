// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/io/parameters.hpp>
#include <statiq/io/safetensors.hpp>
#include <statiq/io/safetensors_writer.hpp>
#include <statiq/io/tensor_view.hpp>
#include <statiq/passes/check_integers.hpp>
#include <statiq/passes/quantize_parameters.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// A network's integers in safetensors files: networks that were quantized elsewhere, or here.
///
/// Beside `<layer>.weight` (I8, U8, I16 or U16, in the float file's layout) and `<layer>.bias` (I32) stand
/// `<layer>.weight.scale` (F32, [1] per tensor or [out] per channel), `<layer>.weight.zero_point` (I32, as many, where
/// the format has zero points) and, for every layer whose output has numbers of its own, `<layer>.scale` (F32 [1]) and
/// `<layer>.zero_point` (I32 [1]). Pools, reshapes and standalone activations keep their input's numbers, softmax has
/// fixed ones: these are not stored.
namespace statiq::io {

namespace detail {

template <class To>
std::vector<To> integers_of(const tensor_view& tensor) {
    std::vector<To> result;
    const auto copy = [&result](const auto values) { result.assign(values.begin(), values.end()); };
    switch (tensor.dtype) {
    case dtype::i8:
        copy(tensor.values<std::int8_t>());
        break;
    case dtype::u8:
        copy(tensor.values<std::uint8_t>());
        break;
    case dtype::i16:
        copy(tensor.values<std::int16_t>());
        break;
    case dtype::u16:
        copy(tensor.values<std::uint16_t>());
        break;
    case dtype::i32:
        copy(tensor.values<std::int32_t>());
        break;
    default:
        throw format_error(tensor.file, tensor.name, "I8, U8, I16, U16 or I32", name(tensor.dtype));
    }
    return result;
}

/// Scales and zero points: `count` of them.
inline std::vector<affine> read_maps(const safetensors& file, const std::string& tensor, std::int64_t count,
                                     const number_format& format) {
    const tensor_view scales = file.require(tensor + ".scale", dtype::f32, {count});
    std::vector<affine> maps;
    for (const float scale : scales.values<float>()) maps.push_back({scale, 0});
    const std::string zeros_name = tensor + ".zero_point";
    if (!format.has_zero_point && !file.contains(zeros_name)) return maps;
    const auto points = file.require(zeros_name, dtype::i32, {count}).values<std::int32_t>();
    for (std::size_t i = 0; i < maps.size(); ++i) maps[i].zero_point = points[i];
    return maps;
}

/// Values of channels that a file counts in its order.
template <class T>
std::vector<T> in_natural_order(const channel_order& order, const std::vector<T>& stored) {
    std::vector<T> values(stored.size());
    for (std::size_t c = 0; c < stored.size(); ++c) values[order[c]] = stored[c];
    return values;
}
template <class T>
std::vector<T> in_file_order(const channel_order& order, const std::vector<T>& values) {
    std::vector<T> stored(values.size());
    for (std::size_t c = 0; c < values.size(); ++c) stored[c] = values[order[c]];
    return stored;
}

inline void read_linear(const safetensors& file, const node& n, const channel_orders& orders, quantized_layer& to) {
    const std::string weight_name = std::string(n.name.view()) + ".weight";
    const number_format& format = n.numbers.weight;
    const tensor_view tensor = file.at(weight_name);
    const auto values = integers_of<std::int32_t>(tensor.require(tensor.dtype, file_shape(n, "weight")));
    const auto order = natural_positions(file.file(), n, "weight", orders);
    to.weight.resize(values.size());
    for (std::size_t k = 0; k < values.size(); ++k) to.weight[order[k]] = values[k];
    const std::int64_t channels = n.out.channels;
    to.weight_map = read_maps(file, weight_name, format.per == granularity::tensor ? 1 : channels, format);
    to.weight_map.resize(static_cast<std::size_t>(channels), to.weight_map.front());
    to.bias.assign(static_cast<std::size_t>(channels), 0);
    if (n.has_bias) {
        const auto biases =
            file.require(std::string(n.name.view()) + ".bias", dtype::i32, {channels}).values<std::int32_t>();
        to.bias.assign(biases.begin(), biases.end());
    }
    const channel_order& outputs = orders.output_of(n);
    to.weight_map = in_natural_order(outputs, to.weight_map);
    to.bias = in_natural_order(outputs, to.bias);
}

/// Where a number stands in a file's tensor, in words.
template <graph_type Q>
std::string place_in_file(const integer_fault& fault) {
    const node& n = Q::nodes[fault.node];
    const bool weight = fault.part == integer_part::weight;
    const std::vector<std::int64_t> shape =
        weight ? file_shape(n, "weight") : std::vector{std::int64_t{n.out.channels}};
    if (!n.is_linear()) return at_index(fault.index, shape);
    const auto order = natural_positions({}, n, weight ? "weight" : "bias", channel_orders(Q::nodes));
    if (order.empty()) return at_index(fault.index, shape);
    const auto place = std::ranges::find(order, fault.index) - order.begin();
    return at_index(static_cast<std::size_t>(place), shape);
}

/// @throws format_error naming the first number that the types, the proof of the sums or the schemes exclude
template <graph_type Q>
void require_integers(std::string_view file, const quantized_parameters<Q>& integers) {
    auto fault = find_integer_fault(Q::nodes, integers.layers);
    if (!fault) fault = find_multiplier_fault(Q::nodes, integers.layers);
    if (!fault) return;
    const std::string tensor = std::string(Q::nodes[fault->node].name.view()).append(to_string(fault->part));
    const bool counted = fault->what == integer_fault::kind::count;
    throw format_error(file, tensor, expected_text(*fault),
                       found_text(*fault) + (counted ? "" : place_in_file<Q>(*fault)));
}

} // namespace detail

/// A network's integers from a file that is in memory. Q is a graph whose numbers are chosen; it has no float layers.
/// @throws format_error when a tensor is missing, of another type or shape, or holds what the number types, the proof
///         that sums stay in int32, or the schemes' multipliers (below 2^30) exclude
template <graph_type Q>
[[nodiscard]] quantized_parameters<Q> read_integers(const safetensors& file) {
    quantized_parameters<Q> result;
    const detail::channel_orders orders(Q::nodes);
    for (std::size_t i = 0; i < node_count<Q>; ++i) {
        const node& n = Q::nodes[i];
        const number_format& format = n.numbers.activation;
        if (format.floating)
            throw format_error(file.file(), n.name.view(), "a network of integers", "a float layer in the type");
        if (n.traits().keeps_numbers)
            result[i].output = result[static_cast<std::size_t>(n.input())].output;
        else if (n.facts->fixed_output != nullptr)
            result[i].output = n.facts->fixed_output(format);
        else
            result[i].output = detail::read_maps(file, std::string(n.name.view()), 1, format).front();
        if (n.is_linear()) detail::read_linear(file, n, orders, result[i]);
        if (n.has_own_parameters()) detail::read_layer(file, n, orders, result[i].floating);
    }
    detail::require_integers<Q>(file.file(), result);
    return result;
}

/// Reads a network's integers from a file.
/// @throws format_error as read_integers, and when the file is not a safetensors file
template <graph_type Q>
[[nodiscard]] quantized_parameters<Q> load_integers(const std::filesystem::path& path) {
    const safetensors file = read_safetensors(path);
    return read_integers<Q>(file);
}

/// Writes integers so that `load_integers` gives the same back; the file appears whole or not at all.
/// @throws format_error when it cannot be written or `load_integers` would refuse a number
template <graph_type Q>
void save_integers(const std::filesystem::path& path, const quantized_parameters<Q>& from,
                   const safetensors_metadata& metadata = {}) {
    detail::require_integers<Q>(path.string(), from);
    safetensors_builder tensors;
    const detail::channel_orders orders(Q::nodes);
    const auto add_maps = [&tensors](const std::string& tensor, const std::vector<affine>& maps) {
        std::vector<float> scales;
        std::vector<std::int32_t> zeros;
        for (const affine& map : maps) {
            scales.push_back(map.scale);
            zeros.push_back(map.zero_point);
        }
        tensors.add(tensor + ".scale", {static_cast<std::int64_t>(scales.size())}, scales);
        tensors.add(tensor + ".zero_point", {static_cast<std::int64_t>(zeros.size())}, zeros);
    };
    for (std::size_t i = 0; i < node_count<Q>; ++i) {
        const node& n = Q::nodes[i];
        const std::string layer_name(n.name.view());
        if (!n.traits().keeps_numbers && n.facts->fixed_output == nullptr) add_maps(layer_name, {from[i].output});
        if (n.has_own_parameters()) detail::add_layer(path.string(), n, orders, from[i].floating, tensors);
        if (!n.is_linear()) continue;
        const auto order = detail::natural_positions(path.string(), n, "weight", orders);
        const auto add_weight = [&]<class T>(T) {
            std::vector<T> stored(order.size());
            for (std::size_t k = 0; k < order.size(); ++k) stored[k] = static_cast<T>(from[i].weight[order[k]]);
            tensors.add(layer_name + ".weight", detail::file_shape(n, "weight"), stored);
        };
        const number_format& format = n.numbers.weight;
        if (format.bits > 8 && format.is_signed())
            add_weight(std::int16_t{});
        else if (format.bits > 8)
            add_weight(std::uint16_t{});
        else if (format.is_signed())
            add_weight(std::int8_t{});
        else
            add_weight(std::uint8_t{});
        const detail::channel_order& outputs = orders.output_of(n);
        auto maps = detail::in_file_order(outputs, from[i].weight_map);
        if (format.per == granularity::tensor) maps.resize(1);
        add_maps(layer_name + ".weight", maps);
        if (n.has_bias)
            tensors.add(layer_name + ".bias", {n.out.channels}, detail::in_file_order(outputs, from[i].bias));
    }
    write_safetensors(path, tensors, metadata);
}

} // namespace statiq::io

namespace statiq {
using io::load_integers;
using io::save_integers;
} // namespace statiq
