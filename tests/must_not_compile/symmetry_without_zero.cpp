// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a symmetry's integers are some that the bits can store: lowest < highest, and 0 lies between
#include <statiq/numeric/number.hpp>

using namespace statiq;

struct positive {
#ifdef STATIQ_REJECT
    static constexpr bool has_zero_point = false;
#else
    static constexpr bool has_zero_point = true;
#endif
    static constexpr std::int32_t lowest(int) { return 1; }
    static constexpr std::int32_t highest(int) { return 255; }
};

using number = quantized<8, positive>;
static_assert(!number::format.floating);
