// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace statiq {

/// Where an integer network departs from its float network (P1 figure 2). Each can be switched on alone; with none a
/// simulation computes the float network, with all the integer one.
enum class loss_source : unsigned char {
    input,          ///< reals become integers: the network's input, or that of a layer which is quantized alone
    weight,         ///< weights and biases become integers
    saturation,     ///< results stay within the integers of their format
    requantization, ///< results are rounded to the scale of the layer's output
    clipping        ///< an activation's bounds are integers: 6 is the integer nearest to 6
};

inline constexpr std::size_t loss_source_count = 5;

inline constexpr std::string_view to_string(loss_source source) {
    constexpr std::array<std::string_view, loss_source_count> names{"input", "weight", "saturation", "requantization",
                                                                    "clipping"};
    return names[static_cast<std::size_t>(source)];
}

/// A set of sources.
class loss_sources {
  public:
    constexpr loss_sources() = default;
    constexpr loss_sources(loss_source one) : bits_(bit_of(one)) {} // implicit: a source is a set of one
    [[nodiscard]] static constexpr loss_sources all() {
        loss_sources whole;
        whole.bits_ = (1U << loss_source_count) - 1;
        return whole;
    }
    [[nodiscard]] static constexpr loss_sources none() { return {}; }

    [[nodiscard]] constexpr bool has(loss_source one) const { return (bits_ & bit_of(one)) != 0; }
    [[nodiscard]] constexpr bool is_all() const { return *this == all(); }
    [[nodiscard]] constexpr loss_sources without(loss_source one) const {
        loss_sources rest = *this;
        rest.bits_ &= ~bit_of(one);
        return rest;
    }
    friend constexpr loss_sources operator|(loss_sources a, loss_sources b) {
        a.bits_ |= b.bits_;
        return a;
    }
    friend constexpr bool operator==(const loss_sources&, const loss_sources&) = default;

  private:
    static constexpr unsigned bit_of(loss_source one) { return 1U << static_cast<unsigned>(one); }
    unsigned bits_ = 0;
};

} // namespace statiq
