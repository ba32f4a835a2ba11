// SPDX-License-Identifier: Apache-2.0
#include "outputs.hpp"

#include <algorithm>

namespace example {

std::vector<float> outputs_of(const statiq::simulation<>& prototype, const statiq::sample_reader& samples,
                              std::size_t threads, const statiq::progress& report) {
    const std::size_t size = prototype.nodes().back().out.size();
    std::vector<float> all(samples.size * size);
    statiq::in_shares(samples.size, threads, 1, [&](std::size_t share, std::size_t first, std::size_t last) {
        statiq::simulation<> network = prototype;
        std::vector<float> sample(samples.values);
        for (std::size_t s = first; s < last; ++s) {
            samples.read(s, sample);
            const auto result = network.run(sample);
            std::copy(result.begin(), result.end(), all.begin() + static_cast<std::ptrdiff_t>(s * size));
            if (report && share == 0) report(s + 1 - first, last - first);
        }
    });
    return all;
}

} // namespace example
