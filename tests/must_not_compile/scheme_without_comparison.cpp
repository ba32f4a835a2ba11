// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a scheme's factor is copied, and compared by ==
#include <statiq/execute/model.hpp>

#include <cstdint>

using namespace statiq;

/// Keeps the factor's integer part.
struct whole_factor {
    std::int32_t value = 0;
#ifndef STATIQ_REJECT
    friend constexpr bool operator==(const whole_factor&, const whole_factor&) = default;
#endif
};
struct scheme {
    using factor = whole_factor;
    static constexpr int identifier = 100;
    static constexpr factor prepare(double real) noexcept { return {static_cast<std::int32_t>(real)}; }
    static constexpr std::int32_t apply(std::int32_t acc, factor f) noexcept { return acc * f.value; }
    static constexpr factor prepare_align(double ratio, int) noexcept { return prepare(ratio); }
    static constexpr std::int32_t align(std::int32_t q, factor f, int) noexcept { return q * f.value; }
    static constexpr factor prepare_mean(double ratio, std::int64_t) noexcept { return prepare(ratio); }
};

struct net final : network<decltype(input<2, 2, 3> | concat(max_pool, average_pool) | global_average_pool)> {};

auto quantized_net(const parameters<deployed<net>>& from, const node_ranges<deployed<net>>& ranges) {
    return quantize<quantized<8>, quantized<8, asymmetric>, scheme>(from, ranges);
}
