// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/plan/memory.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

/// What must be true of every memory plan, checked without the planner's own idea of liveness.
namespace plan_test {

using namespace statiq;

/// The node whose memory holds a node's value: a reshape moves no data.
template <std::size_t Size>
std::size_t holder(const node_array<Size>& nodes, std::size_t index) {
    while (nodes[index].traits().moves_no_data) index = static_cast<std::size_t>(nodes[index].input());
    return index;
}

/// Bytes the arena needs for a node's value: whole units of the alignment; the caller's input and reshapes need none.
inline std::size_t arena_need(const node& n) {
    if (n.is_source() || n.traits().moves_no_data) return 0;
    std::size_t bytes = n.numbers.activation.floating ? 4 : 1;
    if (!n.numbers.activation.floating && n.numbers.activation.bits > 8) bytes = 2;
    bytes *= n.out.size();
    while (bytes % arena_alignment != 0) ++bytes;
    return bytes;
}

/// Whether a node's value is asked for when all is done.
template <std::size_t Size>
bool is_result(const node_array<Size>& nodes, std::size_t index) {
    return index == Size - 1 || nodes[index].output != 0;
}

/// The most bytes that hold a value somebody still needs, over all steps.
template <std::size_t Size>
std::size_t most_needed_at_once(const node_array<Size>& nodes) {
    std::size_t most = 0;
    for (std::size_t step = 0; step < Size; ++step) {
        // Needed: what this step writes, and what was written before and is read now or later, or is the result.
        std::array<bool, Size> needed{};
        needed[holder(nodes, step)] = true;
        for (std::size_t reader = step; reader < Size; ++reader)
            for (std::size_t k = 0; k < static_cast<std::size_t>(nodes[reader].input_count); ++k)
                if (const std::size_t read = holder(nodes, static_cast<std::size_t>(nodes[reader].inputs[k]));
                    read <= step)
                    needed[read] = true;
        for (std::size_t i = 0; i < Size; ++i)
            if (const std::size_t result = holder(nodes, i); is_result(nodes, i) && result <= step)
                needed[result] = true;
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < Size; ++i)
            if (needed[i]) bytes += arena_need(nodes[i]);
        most = std::max(most, bytes);
    }
    return most;
}

/// The first law a plan breaks, in words; empty when it keeps them all.
template <std::size_t Size>
std::string broken_law(const node_array<Size>& nodes, const memory_plan<Size>& plan) {
    std::size_t highest_end = 0;
    for (std::size_t i = 0; i < Size; ++i) {
        const allocation& t = plan.tensors[i];
        const std::string name = "tensor " + std::to_string(i);
        if (t.bytes != arena_need(nodes[i])) return name + " has another size";
        if (t.offset % arena_alignment != 0) return name + " is not aligned";
        if (const std::size_t held = holder(nodes, i); held != i) {
            if (t.alias_of != static_cast<int>(held)) return name + " aliases the wrong tensor";
            if (t.offset != plan.tensors[held].offset) return name + " lies elsewhere than what it aliases";
        } else if (t.alias_of != -1) {
            return name + " aliases something";
        }
        highest_end = std::max(highest_end, t.offset + t.bytes);
    }
    if (plan.arena_bytes != highest_end) return "the arena does not end with its last tensor";
    const std::size_t bound = most_needed_at_once(nodes);
    if (plan.largest_live_set != bound) return "the largest live set is another";
    if (bound > plan.arena_bytes) return "the arena is too small to be true";

    // An execution in which every 64 bytes of the arena know whose value they hold.
    constexpr std::size_t nobody = Size;
    std::vector<std::size_t> owner(plan.arena_bytes / arena_alignment, nobody);
    const auto units = [&](std::size_t i) {
        const std::size_t first = plan.tensors[i].offset / arena_alignment;
        return std::pair(owner.begin() + static_cast<std::ptrdiff_t>(first),
                         owner.begin() + static_cast<std::ptrdiff_t>(first + plan.tensors[i].bytes / arena_alignment));
    };
    const auto intact = [&](std::size_t i) {
        const auto [begin, end] = units(i);
        return std::all_of(begin, end, [&](std::size_t who) { return who == i; });
    };
    for (std::size_t i = 0; i < Size; ++i) {
        const auto [begin, end] = units(i);
        std::fill(begin, end, i); // a layer writes while it reads
        for (std::size_t k = 0; k < static_cast<std::size_t>(nodes[i].input_count); ++k)
            if (const std::size_t read = holder(nodes, static_cast<std::size_t>(nodes[i].inputs[k])); !intact(read))
                return "tensor " + std::to_string(read) + " is overwritten before " + std::to_string(i) + " read it";
    }
    for (std::size_t i = 0; i < Size; ++i)
        if (is_result(nodes, i) && !intact(holder(nodes, i)))
            return "result " + std::to_string(i) + " does not survive";
    return "";
}

/// Whether a plan comes near what is alive at once, the bound that no plan can beat.
template <std::size_t Size>
bool within_five_percent(const memory_plan<Size>& plan) {
    return 100 * plan.arena_bytes <= 105 * plan.largest_live_set;
}

} // namespace plan_test
