// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/train/executor_view.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace statiq::detail {

/// How weights in natural order become weights in a kernel's. Packing is done anew every step, so where each value
/// comes from is found once, by packing the places themselves.
class weight_order {
  public:
    weight_order() = default;
    /// @param pack pack(natural, packed): moves values, and writes zeros where there are none. Fewer than 2^31 of them.
    template <class Pack>
    weight_order(std::size_t natural, std::size_t packed, Pack&& pack) : source_(packed) {
        // Places as floats, in two parts that floats express exactly; zero is no place.
        constexpr std::size_t part = std::size_t{1} << 16;
        std::vector<float> places(natural);
        std::vector<float> moved(packed);
        const auto take = [&](std::size_t divisor, std::size_t factor) {
            for (std::size_t w = 0; w < natural; ++w) places[w] = static_cast<float>((w + 1) / divisor % part);
            pack(places.data(), moved.data());
            for (std::size_t p = 0; p < packed; ++p)
                source_[p] += static_cast<std::int32_t>(moved[p]) * static_cast<std::int32_t>(factor);
        };
        take(1, 1);
        take(part, part);
    }

    [[nodiscard]] std::size_t size() const noexcept { return source_.size(); }

    void pack(const executor_view& threads, const float* natural, float* packed) const {
        threads.in_shares(source_.size(), [&](std::size_t, std::size_t first, std::size_t last) {
            for (std::size_t p = first; p < last; ++p) packed[p] = source_[p] == 0 ? 0.0F : natural[source_[p] - 1];
        });
    }

  private:
    std::vector<std::int32_t> source_; ///< of each packed value, its natural place counted from 1; 0: a zero
};

} // namespace statiq::detail
