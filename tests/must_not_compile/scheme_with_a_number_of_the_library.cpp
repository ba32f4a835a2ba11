// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a scheme of your own has an identifier of first_own_scheme or more
#include <statiq/execute/model.hpp>

#include <cstdint>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr int number = gemmlowp::identifier;
#else
constexpr int number = first_own_scheme;
#endif

/// Keeps the factor's integer part.
struct whole_factor {
    std::int32_t value = 0;
    friend constexpr bool operator==(const whole_factor&, const whole_factor&) = default;
};
struct scheme {
    using factor = whole_factor;
    static constexpr int identifier = number;
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
