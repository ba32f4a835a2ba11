// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/constants.hpp>
#include <statiq/execute/integer_call.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/simulate/round_sums.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace statiq::detail {

/// The table that a node's integers read; empty for most nodes.
/// @param map_of map_of(i): of node i's output. Not asked for other nodes, which may have no input.
template <class List, class Scheme, class Nodes, class MapOf>
std::vector<float> table_of(const Nodes& nodes, const node& n, const MapOf& map_of, const affine& output_map,
                            const layer_parameters* reals) {
    if (!uses_table(n)) return {};
    std::vector<float> table(n.facts->table_size(n, input_format(nodes, n)));
    fill_table<List, Scheme>(nodes, n, map_of, output_map, reals, table.data());
    return table;
}

/// Layers other than linear ones have exact integer definitions. On reals that integers stand for: back to integers,
/// through, and to reals again. Holds the integers in between.
class integers_between_reals {
  public:
    /// @param widest values of the largest tensor
    void reserve(std::size_t widest) {
        for (auto& integers : integers_) integers.resize(widest);
    }

    /// Computes node `n` of `nodes`. @tparam List its operation is among these. @param map_of map_of(index): the map of
    /// a node's output
    template <class List, class Scheme, class MapOf, class Executor = const sequential>
    void run(const node* nodes, const node& n, const MapOf& map_of, const node_constants<Scheme>& constants,
             const float* table, const std::array<const float*, max_inputs>& reals, const affine& output_map,
             float* output, Executor& threads = here) noexcept {
        with_storage(nodes[n.input()].numbers.activation, [&]<class In>(In*) {
            with_storage(n.numbers.activation, [&]<class Out>(Out*) {
                run_as<List, In, Out>(nodes, n, map_of, constants, table, reals, output_map, output, threads);
            });
        });
    }

  private:
    /// Calls f with null pointers to the types a node's inputs and output are stored as.
    template <class F>
    static void with_storage(const number_format& format, F&& f) noexcept {
        if (format.bytes() == 1)
            format.is_signed() ? f(static_cast<std::int8_t*>(nullptr)) : f(static_cast<std::uint8_t*>(nullptr));
        else
            format.is_signed() ? f(static_cast<std::int16_t*>(nullptr)) : f(static_cast<std::uint16_t*>(nullptr));
    }

    template <class List, class In, class Out, class Scheme, class MapOf, class Executor>
    void run_as(const node* nodes, const node& n, const MapOf& map_of, const node_constants<Scheme>& constants,
                const float* table, const std::array<const float*, max_inputs>& reals, const affine& output_map,
                float* output, Executor& threads) noexcept {
        const auto count = static_cast<std::size_t>(n.input_count);
        std::array<const In*, max_inputs> inputs{};
        std::array<std::int32_t, max_inputs> zero_points{};
        for (std::size_t k = 0; k < count; ++k) {
            const auto from = static_cast<std::size_t>(n.inputs[k]);
            auto* integers = reinterpret_cast<In*>(integers_[k].data());
            const affine& map = map_of(from);
            const float* values = reals[k];
            in_runs(threads, nodes[from].out.size(), [&](std::size_t first, std::size_t size) {
                for (std::size_t v = first; v < first + size; ++v)
                    integers[v] = static_cast<In>(
                        static_cast<std::int32_t>(nearest_even(static_cast<double>(values[v] / map.scale))) +
                        map.zero_point);
            });
            inputs[k] = integers;
            zero_points[k] = map.zero_point;
        }
        auto* result = reinterpret_cast<Out*>(integers_[max_inputs].data());
        const integer_call<In, Out, Scheme, Executor> call{nodes,     n,     inputs.data(), zero_points.data(),
                                                           constants, table, result,        threads};
        visit_operation(List{}, n.facts, [&]<class Op>(std::type_identity<Op>) { compute_integers<Op>(call); });
        in_runs(threads, n.out.size(), [&](std::size_t first, std::size_t size) {
            for (std::size_t v = first; v < first + size; ++v) output[v] = dequantize(result[v], output_map);
        });
    }

    static constexpr sequential here{};
    std::array<std::vector<std::uint16_t>, max_inputs + 1> integers_;
};

} // namespace statiq::detail
