// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/plan/memory.hpp>
#include <statiq/train/backward_graph.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace statiq {

/// Memory for one step of training, planned: where every value and every gradient lies, for one sample. A batch has its
/// samples' values side by side, so that all offsets and sizes are these times the number of samples.
template <std::size_t Size>
struct training_plan {
    backward_graph<Size> graph{};
    /// Values of the nodes, then gradients with respect to them, then what nodes note for their way back; steps are
    /// forward 0 … Size - 1, then backward.
    memory_plan<3 * Size> memory{};

    [[nodiscard]] constexpr const allocation& value(std::size_t index) const { return memory.tensors[index]; }
    [[nodiscard]] constexpr const allocation& gradient(std::size_t index) const { return memory.tensors[Size + index]; }
    [[nodiscard]] constexpr const allocation& note(std::size_t index) const { return memory.tensors[2 * Size + index]; }
    /// Bytes for each sample of a batch.
    [[nodiscard]] constexpr std::size_t bytes_per_sample() const { return memory.arena_bytes; }
};

namespace detail {

/// The gradient in whose memory a node's gradient is written: its own, or that of the node that passes it in place.
template <std::size_t Size>
constexpr std::array<int, Size> gradient_homes(const backward_graph<Size>& graph) {
    std::array<int, Size> homes{};
    for (std::size_t i = 0; i < Size; ++i) homes[i] = static_cast<int>(i);
    for (std::size_t i = Size; i-- > 0;) {
        const backward_node& step = graph.steps[i];
        if (step.in_place < 0) continue;
        const node& n = graph.nodes[i];
        const int before = n.inputs[static_cast<std::size_t>(step.in_place)];
        homes[static_cast<std::size_t>(graph.steps[static_cast<std::size_t>(before)].home)] = homes[i];
    }
    for (std::size_t i = 0; i < Size; ++i)
        if (graph.steps[i].home != static_cast<int>(i)) homes[i] = homes[static_cast<std::size_t>(graph.steps[i].home)];
    return homes;
}

constexpr std::size_t aligned(std::size_t bytes) {
    return (bytes + arena_alignment - 1) / arena_alignment * arena_alignment;
}

/// When values, gradients and notes live.
/// @param note_bytes what each node notes for its way back, for each sample
template <std::size_t Size>
constexpr std::array<allocation, 3 * Size> training_live_ranges(const backward_graph<Size>& graph,
                                                                training_values between,
                                                                const std::array<std::size_t, Size>& note_bytes) {
    std::array<allocation, 3 * Size> tensors{};
    const auto back = [](std::size_t i) { return static_cast<int>(2 * Size - 1 - i); };
    const auto homes = gradient_homes(graph);
    for (std::size_t i = 0; i < Size; ++i) {
        const node& n = graph.nodes[i];
        const backward_node& step = graph.steps[i];
        const std::size_t bytes = aligned(n.out.size() * sizeof(float));
        const bool moved = step.home != static_cast<int>(i);
        allocation& value = tensors[i];
        value.first = value.last = static_cast<int>(i);
        if (moved)
            value.alias_of = step.home;
        else if (!n.is_source() || between == training_values::rounded) // the caller has the input's reals
            value.bytes = bytes;
        const auto value_lives = [&](int index, int until) {
            allocation& home = tensors[static_cast<std::size_t>(graph.steps[static_cast<std::size_t>(index)].home)];
            home.last = (std::max)(home.last, until);
        };
        const int own = static_cast<int>(i);
        if (!moved) // every input, whatever it is
            for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
                value_lives(n.inputs[k], step.keeps_input ? back(i) : own);
        if (step.keeps_output) value_lives(own, back(i));
        // The caller looks at outputs between the ways forward and back.
        if (i + 1 == Size || n.output != 0) value_lives(own, static_cast<int>(Size));

        allocation& gradient = tensors[Size + i];
        gradient.first = gradient.last = back(i);
        if (homes[i] != own)
            gradient.alias_of = homes[i] + static_cast<int>(Size);
        else if (step.differentiated)
            gradient.bytes = bytes;
        tensors[2 * Size + i] = {
            .bytes = step.differentiated ? aligned(note_bytes[i]) : 0, .first = own, .last = back(i)};
    }
    for (std::size_t i = 0; i < Size; ++i) {
        const node& n = graph.nodes[i];
        const auto gradient_of = [&](std::size_t index) -> allocation& {
            return tensors[Size + static_cast<std::size_t>(homes[index])];
        };
        allocation& own = gradient_of(i);
        own.last = (std::max)(own.last, back(i));
        if (i + 1 == Size || n.output != 0) own.first = (std::min)(own.first, static_cast<int>(Size));
        if (graph.steps[i].home != static_cast<int>(i)) continue;
        for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k) {
            if (!graph.steps[i].gives[k]) continue;
            allocation& given = gradient_of(static_cast<std::size_t>(n.inputs[k]));
            given.first = (std::min)(given.first, back(i));
        }
    }
    return tensors;
}

template <std::size_t Size>
constexpr training_plan<Size> plan_training(const node_array<Size>& nodes,
                                            training_values between = training_values::reals,
                                            const std::array<std::size_t, Size>& note_bytes = {}) {
    const backward_graph<Size> graph = differentiate(nodes, between);
    return {graph, plan_memory(training_live_ranges(graph, between, note_bytes))};
}

} // namespace detail

/// The plan of a graph's training, as constexpr data.
template <graph_type G>
inline constexpr auto training_plan_of = detail::plan_training(G::nodes);

} // namespace statiq
