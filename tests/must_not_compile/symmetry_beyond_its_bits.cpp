// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a symmetry's integers are some that the bits can store
#include <statiq/numeric/number.hpp>

using namespace statiq;

struct nine_bits {
    static constexpr bool has_zero_point = false;
    static constexpr std::int32_t lowest(int) { return 0; }
#ifdef STATIQ_REJECT
    static constexpr std::int32_t highest(int) { return 511; }
#else
    static constexpr std::int32_t highest(int) { return 255; }
#endif
};

using number = quantized<8, nine_bits>;
static_assert(!number::format.floating);
