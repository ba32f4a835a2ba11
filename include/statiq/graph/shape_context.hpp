// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/diagnosis.hpp>
#include <statiq/graph/layer_spec.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/interval.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace statiq {

namespace detail {

/// Values of a tensor, weights of a layer and rows of a padded image are counted in ints.
inline constexpr std::int64_t most_counted = (std::numeric_limits<std::int32_t>::max)();

/// The product of counts; what int64 does not hold is its largest number. (Few statements: compilers count those of all
/// layers together.)
constexpr std::int64_t times(std::int64_t total, std::int64_t by) {
    return by != 0 && total > (std::numeric_limits<std::int64_t>::max)() / by
               ? (std::numeric_limits<std::int64_t>::max)()
               : total * by;
}
template <class... Counts>
constexpr std::int64_t product(Counts... counts) {
    std::int64_t total = 1;
    ((total = times(total, counts)), ...);
    return total;
}
constexpr std::int64_t product(const extents& of) { return product(of.height, of.width, of.channels); }

/// As std::max, in one call: compilers count the calls of a constant expression.
constexpr std::int64_t larger(std::int64_t a, std::int64_t b) { return a > b ? a : b; }

/// For extents of a graph that has been refused.
constexpr int as_int(std::int64_t count) { return static_cast<int>(count < most_counted ? count : most_counted); }

} // namespace detail

/// What an operation's `shape` reads and writes: a node whose inputs have their extents, and to which it gives its own.
/// `node.in` is the first input's; `node.out` is the same until `shape` says otherwise.
struct shape_context {
    node& n;
    const layer_spec& spec; ///< the layer as it was written, everything stated
    const layer_defaults& defaults;
    const extents* inputs; ///< n.input_count of them
    finding& first;        ///< of the graph

    using three = std::array<std::int64_t, 3>;

    /// Something does not fit. The first finding of a graph is what it is refused with.
    constexpr void report(defect what, const three& expected = {}, const three& got = {}) const {
        if (first.what != defect::none) return;
        first.what = what;
        first.layer = n.name;
        for (std::size_t i = 0; i < 3; ++i) {
            first.expected[i] = expected[i];
            first.got[i] = got[i];
        }
    }
    constexpr void require_counted(std::int64_t count) const {
        if (count > detail::most_counted) report(defect::count, {detail::most_counted}, {count});
    }
    constexpr void require_flat() const {
        if (n.in.height != 1 || n.in.width != 1) report(defect::flat, {}, {n.in.height, n.in.width, n.in.channels});
    }
    constexpr void set_pixels(std::int64_t height, std::int64_t width) const {
        require_counted(detail::product(height, width, n.in.channels));
        n.out = {detail::as_int(height), detail::as_int(width), n.in.channels};
    }
    /// Inputs of a join that differ from the first in height or width.
    constexpr void require_equal_pixels() const {
        for (int k = 1; k < n.input_count; ++k)
            if (inputs[k].height != n.in.height || inputs[k].width != n.in.width)
                report(defect::extents, {n.in.height, n.in.width}, {inputs[k].height, inputs[k].width});
    }
};

} // namespace statiq
