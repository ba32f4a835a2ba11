// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/tensor/refusal.hpp>
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
    std::function<void(std::size_t, std::span<float>)> read;

    [[nodiscard]] std::vector<float> sample(std::size_t index) const {
        std::vector<float> made(values);
        read(index, made);
        return made;
    }
    [[nodiscard]] sample_reader first(std::size_t count) const { return {(std::min)(count, size), values, read}; }
};

/// A reader of a sample set whose samples lie in memory, all at once; it refers to the set. A sample of another size
/// than the first's is refused (`refused`) when it is read.
template <sample_set Samples>
sample_reader reader_of(const Samples& samples) {
    const std::size_t values = samples.size() == 0 ? 0 : std::span<const float>(samples[0]).size();
    return {samples.size(), values, [&samples](std::size_t index, std::span<float> to) {
                const std::span<const float> sample = samples[index];
                detail::require_count("reader_of: values of a sample", to.size(), sample.size());
                std::ranges::copy(sample, to.begin());
            }};
}

namespace detail {
/// Refuses samples that are none, or are not what a network takes. @param values of one
inline void require_samples(std::size_t values, const sample_reader& samples) {
    require_at_least("samples", 1, samples.size);
    require_count("samples: values of one", values, samples.values);
}
} // namespace detail

} // namespace statiq
