// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/tensor/samples.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace statiq {

/// Samples that several threads may read at a time: `read(index, to)` writes one sample's `values` floats.
struct sample_reader {
    std::size_t size = 0;
    std::size_t values = 0;
    std::function<void(std::size_t, float*)> read;

    [[nodiscard]] std::vector<float> sample(std::size_t index) const {
        std::vector<float> made(values);
        read(index, made.data());
        return made;
    }
    [[nodiscard]] sample_reader first(std::size_t count) const { return {(std::min)(count, size), values, read}; }
};

/// A reader of a sample set whose samples lie in memory, all at once; it refers to the set.
template <sample_set Samples>
sample_reader reader_of(const Samples& samples) {
    const std::size_t values = samples.size() == 0 ? 0 : std::span<const float>(samples[0]).size();
    return {samples.size(), values, [&samples](std::size_t index, float* to) {
                const std::span<const float> sample = samples[index];
                std::copy(sample.begin(), sample.end(), to);
            }};
}

} // namespace statiq
