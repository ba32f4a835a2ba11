// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace benchmarks {

/// A way to multiply and accumulate, run from registers alone: nothing can be faster on this core.
struct dot_product {
    const char* name;
    bool floating;
    bool (*available)();      ///< on this machine; calling `run` elsewhere is an illegal instruction
    long products_in_a_round; ///< multiply-accumulates
    void (*run)(long rounds); ///< at least one
};

/// Every one this program knows, fastest of its kind first.
[[nodiscard]] std::span<const dot_product> dot_products();

/// Multiply-accumulates per nanosecond that one core reaches, measured once: the best of many short runs of the fastest
/// available dot product. 0 where none is known.
[[nodiscard]] double peak_of_integers();
[[nodiscard]] double peak_of_floats();

} // namespace benchmarks
