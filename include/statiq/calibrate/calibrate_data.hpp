// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/calibration.hpp>
#include <statiq/exceptions.hpp>
#include <statiq/simulate/float_simulation.hpp>
#include <statiq/tensor/sample_reader.hpp>
#include <statiq/threads/shares.hpp>

#include <cstddef>
#include <exception>
#include <span>
#include <vector>

namespace statiq {

namespace detail {
/// One thread's samples, read one at a time.
class read_samples {
  public:
    explicit read_samples(const sample_reader& reader) : reader_(&reader), sample_(reader.values) {}
    std::span<const float> operator[](std::size_t index) const {
        reader_->read(index, sample_);
        return sample_;
    }

  private:
    const sample_reader* reader_;
    mutable std::vector<float> sample_;
};
} // namespace detail

/// Runs a network that is data in float over samples, and observes what every node's output spans: `calibrate`, with
/// threads. Shares of the samples are observed apart and merged.
/// @throws calibration_error as `calibrate`
template <observer Observer>
std::vector<range> calibrate(const network_data& network, const sample_reader& samples, const Observer& rule,
                             std::size_t batch = 1, std::size_t threads = 1, const progress& report = {}) {
    if (samples.size == 0 || batch == 0) throw calibration_error("at least one sample in batches of at least one");
    const simulation<> prototype = float_simulation(network);
    std::vector<calibration<Observer>> seen(1, calibration<Observer>(network.nodes, rule));
    const auto passes = static_cast<std::size_t>(rule.passes());
    for (std::size_t pass = 0; pass < passes; ++pass) {
        seen.resize(threads == 0 ? 1 : threads, seen[0]);
        std::vector<std::exception_ptr> failures(seen.size());
        const std::size_t shares =
            in_shares(samples.size, threads, batch, [&](std::size_t share, std::size_t first, std::size_t last) {
                try {
                    simulation<> run = prototype;
                    std::size_t done = first;
                    detail::observe_samples(seen[share], detail::read_samples(samples), first, last, batch,
                                            [&](std::span<const float> sample) {
                                                run.run(sample, [&](std::size_t i, const float* values) {
                                                    seen[share].see(i, {values, network.nodes[i].out.size()});
                                                });
                                                ++done;
                                                if (report && share == 0)
                                                    report(pass * samples.size +
                                                               samples.size * (done - first) / (last - first),
                                                           passes * samples.size);
                                            });
                } catch (...) {
                    failures[share] = std::current_exception();
                }
            });
        for (const std::exception_ptr& failure : failures)
            if (failure) std::rethrow_exception(failure);
        for (std::size_t share = 1; share < shares; ++share) seen[0].merge(seen[share]);
        seen[0].end_pass();
        seen.resize(1, seen[0]);
    }
    return seen[0].ranges();
}

} // namespace statiq
