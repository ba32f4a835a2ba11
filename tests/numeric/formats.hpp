// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/number.hpp>

#include <utility>
#include <vector>

namespace formats {

template <class Symmetry, int... Offset>
void append(std::vector<statiq::number_format>& list, std::integer_sequence<int, Offset...>) {
    (list.push_back(statiq::quantized<Offset + 2, Symmetry>::format), ...);
}

/// Every integer format of the library: widths 2 to 16, every symmetry.
inline std::vector<statiq::number_format> all() {
    using widths = std::make_integer_sequence<int, 15>;
    std::vector<statiq::number_format> list;
    append<statiq::asymmetric>(list, widths{});
    append<statiq::asymmetric_signed>(list, widths{});
    append<statiq::symmetric>(list, widths{});
    append<statiq::symmetric_full_range>(list, widths{});
    append<statiq::symmetric_unsigned>(list, widths{});
    return list;
}

} // namespace formats
