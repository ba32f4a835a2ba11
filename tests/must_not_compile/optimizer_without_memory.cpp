// SPDX-License-Identifier: Apache-2.0
// An optimizer's rule says what it remembers of every value, so that checkpoints can store it.
// rejects: statiq: no optimizer's rule; it needs
#include <statiq/train/optimizer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

struct descent {
#ifndef STATIQ_REJECT
    static constexpr std::array<std::string_view, 0> memory{}; // nothing
#endif
    template <std::size_t Kinds>
    void update(std::span<float> values, std::span<const float> gradient, std::array<std::span<float>, Kinds>,
                double rate, std::uint64_t) const {
        for (std::size_t i = 0; i < values.size(); ++i) values[i] -= static_cast<float>(rate) * gradient[i];
    }
};

statiq::update_rule rule() { return descent{}; }
