// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

namespace statiq {

/// Every tensor in the arena starts at a multiple of this many bytes: a cache line and the widest vector.
inline constexpr std::size_t arena_alignment = 64;

/// Where and when a tensor lives. Steps are node indices.
struct allocation {
    std::size_t offset = 0; ///< from the arena's start
    std::size_t bytes = 0;  ///< rounded up to the alignment; 0: not in the arena (the caller's input, an alias)
    int first = 0;          ///< the step that writes it
    int last = 0;           ///< the last step that reads it
    int alias_of = -1;      ///< the node whose memory this one shares, or -1

    [[nodiscard]] constexpr std::size_t end() const noexcept { return offset + bytes; }
    [[nodiscard]] constexpr bool lives_with(const allocation& other) const noexcept {
        return first <= other.last && other.first <= last;
    }
    [[nodiscard]] constexpr bool overlaps(const allocation& other) const noexcept {
        return offset < other.end() && other.offset < end();
    }
};

/// A network's memory, planned: one allocation a node.
template <std::size_t Size>
struct memory_plan {
    std::array<allocation, Size> tensors{};
    std::size_t arena_bytes = 0;      ///< what inference needs besides weights, input included only by the caller
    std::size_t largest_live_set = 0; ///< the most bytes alive at one step: no plan can need less
};

namespace detail {

/// Liveness: from the step that writes a tensor to the last that reads it or an alias of it. Outputs outlive all.
template <std::size_t Size>
constexpr std::array<allocation, Size> live_ranges(const node_array<Size>& nodes) {
    std::array<allocation, Size> tensors{};
    for (std::size_t i = 0; i < Size; ++i) {
        const node& n = nodes[i];
        allocation& t = tensors[i];
        t.first = t.last = static_cast<int>(i);
        if (n.traits().moves_no_data) {
            const auto source = static_cast<std::size_t>(n.input());
            t.alias_of = tensors[source].alias_of >= 0 ? tensors[source].alias_of : n.input();
        } else if (!n.is_source()) {
            const std::size_t bytes = n.out.size() * static_cast<std::size_t>(n.numbers.activation.bytes());
            t.bytes = (bytes + arena_alignment - 1) / arena_alignment * arena_alignment;
        }
        for (int k = 0; k < n.input_count; ++k) {
            auto read = static_cast<std::size_t>(n.inputs[static_cast<std::size_t>(k)]);
            if (tensors[read].alias_of >= 0) read = static_cast<std::size_t>(tensors[read].alias_of);
            tensors[read].last = static_cast<int>(i);
        }
    }
    for (std::size_t i = 0; i < Size; ++i) {
        if (i != Size - 1 && nodes[i].output == 0) continue;
        tensors[i].last = static_cast<int>(Size);
        if (tensors[i].alias_of >= 0)
            tensors[static_cast<std::size_t>(tensors[i].alias_of)].last = static_cast<int>(Size);
    }
    return tensors;
}

/// The most bytes alive at one step.
template <std::size_t Size>
constexpr std::size_t largest_live_set(const std::array<allocation, Size>& tensors) {
    std::size_t born[Size + 2] = {};
    std::size_t gone[Size + 2] = {};
    for (const allocation& t : tensors) {
        born[t.first] += t.bytes;
        gone[t.last + 1] += t.bytes;
    }
    std::size_t largest = 0;
    std::size_t live = 0;
    for (std::size_t step = 0; step <= Size; ++step) {
        live = live + born[step] - gone[step];
        largest = (std::max)(largest, live);
    }
    return largest;
}

/// What is placed first.
enum class placement : unsigned char { large, large_and_long_lived, long_lived, early, late };

// Compilers count the steps of what follows, and an element of std::array costs five: hence the plain arrays.

/// Tensors by weight, the largest first; of equal weights, the smallest index.
template <std::size_t Size>
constexpr std::array<int, Size> placement_order(const std::array<allocation, Size>& tensors, placement rule) {
    std::array<int, Size> result{};
    int* const order = result.data();
    const allocation* const all = tensors.data();
    std::size_t weights[Size] = {};
    for (std::size_t i = 0; i < Size; ++i) {
        const auto steps = static_cast<std::size_t>(all[i].last - all[i].first + 1);
        order[i] = static_cast<int>(i);
        weights[i] = rule == placement::large                  ? all[i].bytes
                     : rule == placement::large_and_long_lived ? all[i].bytes * steps
                     : rule == placement::long_lived           ? steps
                     : rule == placement::early                ? Size - i
                                                               : i;
    }
    // Merge sort: std::sort takes several times the steps.
    int from[Size] = {};
    for (std::size_t run = 1; run < Size; run *= 2) {
        for (std::size_t i = 0; i < Size; ++i) from[i] = order[i];
        for (std::size_t begin = 0; begin < Size; begin += 2 * run) {
            const std::size_t middle = begin + run < Size ? begin + run : Size;
            const std::size_t end = middle + run < Size ? middle + run : Size;
            std::size_t left = begin;
            std::size_t right = middle;
            for (std::size_t to = begin; to < end; ++to)
                order[to] = right == end || (left < middle && weights[from[left]] >= weights[from[right]])
                                ? from[left++]
                                : from[right++];
        }
    }
    return result;
}

/// Which tensors live at the same time. A chain has two or three neighbours a tensor: who asks for them spends time in
/// proportion to their number, where a look at all pairs of tensors takes more steps than compilers allow.
template <std::size_t Size>
class lifetimes {
  public:
    constexpr explicit lifetimes(const std::array<allocation, Size>& tensors) {
        const allocation* const all = tensors.data();
        int begin[Size + 2] = {}; // of each step, where the tensors that it writes begin
        for (std::size_t i = 0; i < Size; ++i) ++begin[all[i].first + 1];
        for (std::size_t step = 0; step <= Size; ++step) begin[step + 1] += begin[step];
        for (std::size_t i = 0; i < Size; ++i) {
            place_[i] = begin[all[i].first]++;
            born_[place_[i]] = {all[i].first, all[i].last, static_cast<int>(i)};
        }
        for (int p = 0; p < static_cast<int>(Size); ++p) {
            int before = p - 1;
            while (before >= 0 && born_[before].last <= born_[p].last) before = born_[before].outlived_by;
            born_[p].outlived_by = before;
        }
    }

    /// Calls visit(k) for every tensor k that lives at some step of tensor `index`.
    template <class Visit>
    constexpr void for_each_neighbour(int index, Visit visit) const {
        const int place = place_[index];
        const life& self = born_[place];
        for (int p = place - 1; p >= 0;) {
            const life& other = born_[p];
            p = other.last < self.first ? other.outlived_by : p - 1; // those between are gone as well
            if (other.last >= self.first) visit(other.tensor);
        }
        for (int p = place + 1; p < static_cast<int>(Size) && born_[p].first <= self.last; ++p) visit(born_[p].tensor);
    }

  private:
    struct life {
        int first = 0;
        int last = 0;
        int tensor = 0;
        int outlived_by = -1; ///< the nearest life before this one that ends later, or -1
    };
    life born_[Size] = {}; ///< by their first step
    int place_[Size] = {}; ///< of each tensor, its place in `born_`
};

/// Places tensors in the given order, each at the lowest offset that no tensor alive at the same time occupies.
/// Returns the arena's size.
template <std::size_t Size>
constexpr std::size_t place(std::array<allocation, Size>& tensors, const std::array<int, Size>& order,
                            const lifetimes<Size>& lives) {
    struct taken {
        std::size_t offset = 0;
        std::size_t end = 0;
    };
    allocation* const all = tensors.data();
    bool placed[Size] = {};
    taken below[Size] = {}; // what neighbours take
    std::size_t top = 0;
    for (const int index : order) {
        allocation& t = all[index];
        if (t.bytes == 0) continue;
        std::size_t count = 0;
        lives.for_each_neighbour(index, [&](int k) {
            if (placed[k]) below[count++] = {all[k].offset, all[k].offset + all[k].bytes};
        });
        if (count > 1)
            std::sort(below, below + count, [](const taken& a, const taken& b) { return a.offset < b.offset; });
        std::size_t offset = 0;
        for (std::size_t k = 0; k < count && offset + t.bytes > below[k].offset; ++k)
            if (below[k].end > offset) offset = below[k].end;
        t.offset = offset;
        if (offset + t.bytes > top) top = offset + t.bytes;
        placed[index] = true;
    }
    return top;
}

/// Finding the smallest arena is NP-hard. Any arena, though, is what some order of placement gives, and a good order
/// is soon found: where one needs more than what is alive at once, the first tensor that ends beyond that moves to
/// the front. A few rounds of it, from a few orders, reach the bound in nearly all networks, mostly in the first.
/// @param live when each tensor lives, in steps from 0 to Size, and how large it is
template <std::size_t Size>
constexpr memory_plan<Size> plan_memory(const std::array<allocation, Size>& live) {
    memory_plan<Size> plan{.tensors = live};
    plan.largest_live_set = largest_live_set(plan.tensors);
    plan.arena_bytes = (std::numeric_limits<std::size_t>::max)();
    auto tensors = plan.tensors;
    const lifetimes<Size> lives(live);
    for (const placement rule : {placement::large, placement::large_and_long_lived, placement::long_lived,
                                 placement::early, placement::late}) {
        auto order = placement_order(tensors, rule);
        for (int round = 0; round < 8 && plan.arena_bytes > plan.largest_live_set; ++round) {
            const std::size_t bytes = place(tensors, order, lives);
            if (bytes < plan.arena_bytes) {
                plan.arena_bytes = bytes;
                plan.tensors = tensors;
            }
            const auto beyond = std::find_if(order.begin(), order.end(), [&](int index) {
                const allocation& t = tensors[static_cast<std::size_t>(index)];
                return t.bytes > 0 && t.end() > plan.largest_live_set;
            });
            if (beyond != order.end()) std::rotate(order.begin(), beyond, beyond + 1);
        }
        if (plan.arena_bytes == plan.largest_live_set) break;
    }
    for (allocation& t : plan.tensors)
        if (t.alias_of >= 0) t.offset = plan.tensors[static_cast<std::size_t>(t.alias_of)].offset;
    return plan;
}

template <std::size_t Size>
constexpr memory_plan<Size> plan_memory(const node_array<Size>& nodes) {
    return plan_memory(live_ranges(nodes));
}

} // namespace detail

/// The memory plan of a graph whose numbers are chosen (or of a float graph), as constexpr data.
template <graph_type G>
inline constexpr auto memory_plan_of = detail::plan_memory(G::nodes);

} // namespace statiq
