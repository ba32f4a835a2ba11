// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/calibration_error.hpp>
#include <statiq/calibrate/observers.hpp>
#include <statiq/exceptions.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/numeric/math.hpp>
#include <statiq/tensor/refusal.hpp>
#include <statiq/tensor/samples.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace statiq {

namespace detail {
/// Without an early end, so that compilers vectorize it.
inline bool all_finite(std::span<const float> values) noexcept {
    unsigned wrong = 0;
    for (const float x : values) wrong |= math::is_finite(x) ? 0U : 1U;
    return wrong == 0;
}
} // namespace detail

/// What has been seen of every tensor of a network: one state a node. Shares of the data that were seen elsewhere
/// merge.
template <observer Observer>
class calibration {
  public:
    /// @throws calibration_error when the observer's settings, or its layers, cannot be
    calibration(std::span<const node> nodes, const Observer& rule) : nodes_(nodes.begin(), nodes.end()) {
        if constexpr (requires { rule.require_layers(nodes); }) rule.require_layers(nodes);
        for (const node& n : nodes_) states_.push_back(rule.start(n));
    }

    /// Shows one sample's output of a node: as many values as it has, or they are refused (`refused`). Nodes come in
    /// execution order.
    void see(std::size_t index, std::span<const float> tensor) noexcept {
        detail::require_count("calibration: values of a node", nodes_[index].out.size(), tensor.size());
        if (bad_ < nodes_.size()) return;
        if (detail::all_finite(tensor)) {
            states_[index].see(tensor);
            return;
        }
        bad_ = index;
        for (const float x : tensor) bad_is_nan_ = bad_is_nan_ || math::is_nan(x);
    }
    /// @throws calibration_error when the sample made a layer output a NaN or an infinity
    void end_sample(std::size_t sample) const {
        if (bad_ < nodes_.size())
            throw calibration_error(nodes_[bad_].name.view(), sample, bad_is_nan_ ? "a NaN" : "an infinity");
    }
    void end_batch() {
        for (auto& state : states_) state.end_batch();
    }
    void end_pass() {
        for (auto& state : states_) state.end_pass();
    }
    /// @throws calibration_error when the other one is of another network
    void merge(const calibration& other) {
        if (nodes_ != other.nodes_) throw calibration_error("calibrations of different networks do not merge");
        for (std::size_t i = 0; i < states_.size(); ++i) states_[i].merge(other.states_[i]);
    }

    [[nodiscard]] std::vector<range> ranges() const {
        std::vector<range> found;
        for (const auto& state : states_) found.push_back(state.result());
        return found;
    }
    [[nodiscard]] std::span<const node> nodes() const noexcept { return nodes_; }
    [[nodiscard]] std::span<const typename Observer::state> states() const noexcept { return states_; }
    [[nodiscard]] std::span<typename Observer::state> states() noexcept { return states_; }

  private:
    std::vector<node> nodes_;
    std::vector<typename Observer::state> states_;
    std::size_t bad_ = static_cast<std::size_t>(-1); ///< the first node that was not finite
    bool bad_is_nan_ = false;
};

namespace detail {

/// Runs samples [first, last), in batches counted from the first.
/// @throws calibration_error as `calibrate`
template <class Observer, class Samples, class Run>
void observe_samples(calibration<Observer>& seen, const Samples& samples, std::size_t first, std::size_t last,
                     std::size_t batch, Run&& run) {
    if (first == last || batch == 0) throw calibration_error("at least one sample in batches of at least one");
    const std::size_t expected = seen.nodes()[0].out.size();
    for (std::size_t s = first; s < last; ++s) {
        const std::span<const float> sample = samples[s];
        if (sample.size() != expected)
            throw calibration_error("sample " + std::to_string(s) + ": expected " + std::to_string(expected) +
                                    " values, found " + std::to_string(sample.size()));
        run(sample);
        seen.end_sample(s);
        if ((s - first + 1) % batch == 0 || s + 1 == last) seen.end_batch();
    }
}

} // namespace detail

} // namespace statiq
