// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <utility>

namespace statiq {

/// The learning rate of a step, steps counted from 0. A schedule has no state: a resumed training asks for the same
/// step again.
using schedule = std::function<double(std::uint64_t step)>;

struct constant_rate {
    double rate;
    double operator()(std::uint64_t) const { return rate; }
};

/// rate factor^floor(step / every)
struct step_decay {
    double rate;
    std::uint64_t every; ///< steps, at least 1
    double factor;
    double operator()(std::uint64_t step) const { return rate * std::pow(factor, static_cast<double>(step / every)); }
};

/// Half a cosine from `rate` at step 0 to `last` at step `steps` and after (Loshchilov and Hutter, arXiv 1608.03983,
/// equation 5, without restarts).
struct cosine_decay {
    double rate;
    std::uint64_t steps; ///< at least 1
    double last = 0;
    double operator()(std::uint64_t step) const {
        const double done = static_cast<double>((std::min)(step, steps)) / static_cast<double>(steps);
        return last + (rate - last) * 0.5 * (1 + std::cos(std::numbers::pi * done));
    }
};

/// `steps` steps in which the rate grows from a share 1 / steps of what another schedule begins with to all of it;
/// then that schedule, from its step 0.
struct warm_up {
    std::uint64_t steps;
    schedule then;
    double operator()(std::uint64_t step) const {
        if (step >= steps) return then(step - steps);
        return then(0) * static_cast<double>(step + 1) / static_cast<double>(steps);
    }
};

} // namespace statiq
