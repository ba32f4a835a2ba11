// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace statiq {

/// Called from time to time during long runs with the work done and the total; may be empty.
using progress = std::function<void(std::size_t done, std::size_t total)>;

/// Splits 0 … count - 1 into contiguous shares, one a thread, the first on the caller's own: `work(share, first,
/// last)`, which does not throw. Shares start at multiples of `grain`.
/// @return the number of shares: `threads`, or fewer if there is less to do
template <class Work>
std::size_t in_shares(std::size_t count, std::size_t threads, std::size_t grain, Work&& work) {
    const std::size_t grains = (count + grain - 1) / grain;
    const std::size_t shares = std::max<std::size_t>(1, (std::min)(threads, grains));
    const auto start = [&](std::size_t share) { return (std::min)(count, grains * share / shares * grain); };
    std::vector<std::thread> others;
    for (std::size_t share = 1; share < shares; ++share)
        others.emplace_back(
            [&work, share, first = start(share), last = start(share + 1)] { work(share, first, last); });
    work(std::size_t{0}, std::size_t{0}, start(1));
    for (std::thread& other : others) other.join();
    return shares;
}

} // namespace statiq
