// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/integer_parameters.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/kernels/reference/add.hpp>
#include <statiq/numeric/affine.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace statiq::detail {

/// The clamp of a node's integers: the format's limits, narrowed by its activation (P3 section 2.4).
constexpr void set_clamp(const node& n, const affine& output, std::int32_t& lowest, std::int32_t& highest) {
    const number_format& format = n.numbers.activation;
    lowest = format.lowest;
    highest = format.highest;
    // Bounds that are none leave the format's: their integers would lie beyond.
    if (n.clamp.lowest != real_clamp{}.lowest) lowest = quantize(n.clamp.lowest, output, format);
    if (n.clamp.highest != real_clamp{}.highest) highest = quantize(n.clamp.highest, output, format);
}

/// The real multiplier M = s_x * s_w / s_y of an output channel (P3 (5)), with every rounding where TensorFlow Lite has
/// it: a fully connected layer with one weight scale, and every layer on unsigned bytes with one, rounds the product of
/// scales to float; all others do not.
constexpr double accumulator_multiplier(bool rounds_product, float input_scale, float weight_scale,
                                        float output_scale) {
    const double product = rounds_product ? static_cast<double>(input_scale * weight_scale)
                                          : static_cast<double>(input_scale) * static_cast<double>(weight_scale);
    return product / static_cast<double>(output_scale);
}

/// Which layers those are.
constexpr bool rounds_product(const node& n, const number_format& input) {
    const bool single_scale = n.out.channels == 1 || n.numbers.weight.per == granularity::tensor;
    return single_scale && (n.is_dense() || !input.is_signed());
}

/// What an operation's `prepare` reads and writes.
template <class Nodes, class ScaleOf, class Scheme>
struct prepare_call {
    using scheme = Scheme;
    const Nodes& nodes;
    const node& n;
    const ScaleOf& scale_of;
    float output_scale;
    node_constants<Scheme>& constants;

    [[nodiscard]] constexpr std::size_t inputs() const { return static_cast<std::size_t>(n.input_count); }
    [[nodiscard]] constexpr float scale(std::size_t k) const { return scale_of(index(k)); }
    [[nodiscard]] constexpr const number_format& format(std::size_t k) const {
        return nodes[index(k)].numbers.activation;
    }
    /// How many steps of the output one step of an input is.
    [[nodiscard]] constexpr double ratio(std::size_t k) const {
        return static_cast<double>(scale(k)) / static_cast<double>(output_scale);
    }

  private:
    [[nodiscard]] constexpr std::size_t index(std::size_t k) const { return static_cast<std::size_t>(n.inputs[k]); }
};

/// What a node that is not linear needs besides its clamp. `scale_of(index)` is the scale of a node's output, `scale`
/// this one's.
template <class List, class Nodes, class ScaleOf, class Scheme>
constexpr void set_factors_of(const Nodes& nodes, const node& n, const ScaleOf& scale_of, float scale,
                              node_constants<Scheme>& constants) {
    visit_operation(List{}, n.facts, [&]<class Op>(std::type_identity<Op>) {
        if constexpr (has_prepare<Op>)
            Op::prepare(prepare_call<Nodes, ScaleOf, Scheme>{nodes, n, scale_of, scale, constants});
    });
}

/// What an operation's `fill_table` reads and writes.
template <class Scheme, class Nodes, class MapOf>
struct table_call {
    using scheme = Scheme;
    const Nodes& nodes;
    const node& n;
    const MapOf& map_of;
    affine output_map;
    const layer_parameters* reals; ///< the node's own parameters
    float* table;

    [[nodiscard]] constexpr const affine& map(std::size_t k) const { return map_of(index(k)); }
    [[nodiscard]] constexpr const number_format& format(std::size_t k) const {
        return nodes[index(k)].numbers.activation;
    }

  private:
    [[nodiscard]] constexpr std::size_t index(std::size_t k) const { return static_cast<std::size_t>(n.inputs[k]); }
};

/// Writes the table of a node that has one. @param map_of map_of(i): of node i's output
template <class List, class Scheme, class Nodes, class MapOf>
void fill_table(const Nodes& nodes, const node& n, const MapOf& map_of, const affine& output_map,
                const layer_parameters* reals, float* table) {
    visit_operation(List{}, n.facts, [&]<class Op>(std::type_identity<Op>) {
        if constexpr (requires { Op::table_size; })
            Op::fill_table(table_call<Scheme, Nodes, MapOf>{nodes, n, map_of, output_map, reals, table});
    });
}

} // namespace statiq::detail
