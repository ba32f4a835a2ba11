// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/io/channel_order.hpp>
#include <statiq/io/safetensors.hpp>
#include <statiq/io/safetensors_writer.hpp>
#include <statiq/io/stored_reals.hpp>
#include <statiq/io/tensor_view.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

/// Float parameters of a network in safetensors files.
///
/// Tensors are named `<layer>.weight`, `<layer>.bias`, and, for a batch norm whose layer is `<layer>.bn`,
/// `<layer>.bn.gamma`, `.beta`, `.mean`, `.var`. Layouts are PyTorch's: convolutions [out, in / groups, row, column],
/// depthwise [out, 1, row, column], dense [out, in]. What lies behind `flatten` counts channel first (CHW), as PyTorch
/// flattens: the inputs of the next linear layer, whatever stands between, the channels of batch norms there, and the
/// outputs of a linear layer that are added to what is flattened. They are permuted to statiq's HWC on the way in and
/// back on the way out.
namespace statiq::io {

namespace detail {

/// Tensors of operations that are no convolution are vectors.
inline std::vector<std::int64_t> file_shape(const node& n, std::string_view tensor) {
    if (!n.is_linear()) {
        for (std::size_t t = 0; t < n.facts->tensor_count; ++t)
            if (tensor == n.facts->tensors[t].name) return {static_cast<std::int64_t>(n.facts->tensors[t].count(n))};
    }
    if (tensor != "weight") return {n.out.channels};
    const convolution_shape shape = n.convolution();
    if (n.is_dense()) return {shape.out.channels, shape.in.channels};
    return {shape.out.channels, shape.in_channels_per_group(), shape.over.kernel_height, shape.over.kernel_width};
}

/// Where each value of a tensor in the file's order stands in statiq's natural order; empty where it is the same.
/// @throws format_error naming the layer, where files have no order for it
inline std::vector<std::size_t> natural_positions(std::string_view file, const node& n, std::string_view tensor,
                                                  const channel_orders& orders) {
    orders.require_clear(file, n);
    const channel_order& in = orders.input_of(n);
    const channel_order& out = orders.output_of(n);
    if (n.has_own_parameters()) {
        if (out.clear && out.places.empty()) return {};
        const bool per_channel = file_shape(n, tensor).front() == n.out.channels;
        if (!out.clear || !per_channel)
            throw format_error(file, n.name.view(), "one parameter for each channel, which files count in one order",
                               "parameters behind a flattened image");
    }
    if (tensor != "weight" || !n.is_linear()) return out.places;
    const convolution_shape shape = n.convolution();
    const bool grouped = shape.groups > 1;
    std::vector<std::size_t> order;
    for (int o = 0; o < shape.out.channels; ++o)
        for (int c = 0; c < shape.in_channels_per_group(); ++c)
            for (int tap = 0; tap < shape.over.taps(); ++tap) {
                const int to = static_cast<int>(out[static_cast<std::size_t>(o)]);
                const int from = grouped ? c : static_cast<int>(in[static_cast<std::size_t>(c)]);
                order.push_back(shape.weight_index(to, tap, from));
            }
    return order;
}

/// The reals a tensor may hold: a variance is a mean of squares.
inline reals allowed_reals(std::string_view tensor) { return tensor == "var" ? reals::not_negative : reals::finite; }

/// Reads a layer's float tensors. @throws format_error as `read_parameters`
inline void read_layer(const safetensors& file, const node& n, const channel_orders& orders, layer_parameters& into) {
    statiq::detail::for_each_tensor(n, into, [&](const char* kind, std::vector<float>& to, std::size_t) {
        const std::string name = std::string(n.name.view()) + "." + kind;
        const tensor_view tensor = file.at(name);
        const std::vector<float> values = to_floats(tensor.require(tensor.dtype, file_shape(n, kind)));
        require_reals(tensor, allowed_reals(kind));
        to = values;
        const auto order = natural_positions(file.file(), n, kind, orders);
        for (std::size_t k = 0; k < order.size(); ++k) to[order[k]] = values[k];
    });
}

/// Adds a layer's float tensors to a file. @throws format_error as `save`
inline void add_layer(const std::string& file, const node& n, const channel_orders& orders,
                      const layer_parameters& from, safetensors_builder& tensors) {
    statiq::detail::for_each_tensor(n, from, [&](const char* kind, const std::vector<float>& values, std::size_t) {
        std::vector<float> stored = values;
        const auto order = natural_positions(file, n, kind, orders);
        for (std::size_t k = 0; k < order.size(); ++k) stored[k] = values[order[k]];
        const std::string name = std::string(n.name.view()) + "." + kind;
        const std::vector<std::int64_t> shape = file_shape(n, kind);
        require_reals(file, name, shape, stored, allowed_reals(kind));
        tensors.add(name, shape, std::span<const float>(stored));
    });
}

} // namespace detail

/// The network's parameters in a file that is in memory. Tensors the network does not ask for are left alone.
/// @throws format_error when a tensor is missing, of another type or shape, or holds a NaN, an infinity or a negative
///         variance
template <graph_type G>
[[nodiscard]] parameters<G> read_parameters(const safetensors& file) {
    parameters<G> result;
    const detail::channel_orders orders(G::nodes);
    for (std::size_t i = 0; i < node_count<G>; ++i) {
        const node& n = G::nodes[i];
        detail::read_layer(file, n, orders, result[i]);
    }
    return result;
}

/// Reads the network's parameters from a file.
/// @throws format_error as read_parameters, and when the file is not a safetensors file
template <graph_type G>
[[nodiscard]] parameters<G> load(const std::filesystem::path& path) {
    const safetensors file = read_safetensors(path);
    return read_parameters<G>(file);
}

/// Writes parameters so that `load` gives the same back; the file appears whole or not at all.
/// @throws format_error when it cannot be written or `load` would refuse a number
template <graph_type G>
void save(const std::filesystem::path& path, const parameters<G>& from, const safetensors_metadata& metadata = {}) {
    safetensors_builder tensors;
    const detail::channel_orders orders(G::nodes);
    for (std::size_t i = 0; i < node_count<G>; ++i) {
        const node& n = G::nodes[i];
        detail::add_layer(path.string(), n, orders, from[i], tensors);
    }
    write_safetensors(path, tensors, metadata);
}

} // namespace statiq::io

namespace statiq {
using io::load;
using io::save;
} // namespace statiq
