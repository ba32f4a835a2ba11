// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/language.hpp>
#include <statiq/train/expect_count.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

namespace statiq {

/// -sum over classes of p log softmax(outputs), the target p being 1 - smoothing at the label plus smoothing / classes
/// everywhere (Szegedy et al., arXiv 1512.00567, section 7).
struct softmax_cross_entropy {
    double smoothing = 0; ///< in [0, 1)

    /// One sample's loss; `gradient` becomes `weight` times its derivative by the outputs. Outputs are shifted by their
    /// largest first, so that no exponential overflows and the largest class's is 1. A label of no class, as outputs
    /// that are not finite, makes a NaN.
    /// @param outputs logits, one a class  @param gradient as many
    template <std::floating_point Real>
    double operator()(std::span<const Real> outputs, std::int32_t label, double weight,
                      std::span<Real> gradient) const {
        detail::expect_count("values of a loss's gradient", outputs.size(), gradient.size());
        const double largest = static_cast<double>(*std::max_element(outputs.begin(), outputs.end()));
        const auto shifted = [&](std::size_t c) { return static_cast<double>(outputs[c]) - largest; };
        double sum = 0;
        double mean = 0;
        for (std::size_t c = 0; c < outputs.size(); ++c) {
            sum += std::exp(shifted(c));
            mean += shifted(c);
        }
        const auto classes = static_cast<double>(outputs.size());
        mean /= classes;
        const double log_sum = std::log(sum);
        const auto expected = static_cast<std::size_t>(label);
        for (std::size_t c = 0; c < outputs.size(); ++c) {
            const double target = (c == expected ? 1 - smoothing : 0) + smoothing / classes;
            gradient[c] = static_cast<Real>(weight * (std::exp(shifted(c)) / sum - target));
        }
        if (expected >= outputs.size()) return std::nan("");
        return log_sum - (1 - smoothing) * shifted(expected) - smoothing * mean;
    }
};

/// The mean over outputs of (output - target)^2.
struct mean_squared_error {
    /// One sample's loss; `gradient` becomes `weight` times its derivative by the outputs.
    template <std::floating_point Real>
    double operator()(std::span<const Real> outputs, std::span<const Real> targets, double weight,
                      std::span<Real> gradient) const {
        detail::expect_count("targets of a loss", outputs.size(), targets.size());
        return against([&](std::size_t i) { return static_cast<double>(targets[i]); }, outputs, weight, gradient);
    }
    /// The same against a class: the target is 1 there and 0 elsewhere. A label of no class makes a NaN.
    template <std::floating_point Real>
    double operator()(std::span<const Real> outputs, std::int32_t label, double weight,
                      std::span<Real> gradient) const {
        const auto expected = static_cast<std::size_t>(label);
        const double loss =
            against([&](std::size_t i) { return i == expected ? 1.0 : 0.0; }, outputs, weight, gradient);
        return expected < outputs.size() ? loss : std::nan("");
    }

  private:
    template <class Target, std::floating_point Real>
    static double against(const Target& target, std::span<const Real> outputs, double weight,
                          std::span<Real> gradient) {
        detail::expect_count("values of a loss's gradient", outputs.size(), gradient.size());
        const auto count = static_cast<double>(outputs.size());
        double sum = 0;
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const double error = static_cast<double>(outputs[i]) - target(i);
            sum += error * error;
            gradient[i] = static_cast<Real>(weight * 2 * error / count);
        }
        return sum / count;
    }
};

/// The mean loss of a batch and its derivative by every output.
/// @param outputs [sample][output]  @param targets one a sample  @param gradient as many values as outputs
/// @throws std::invalid_argument when the outputs do not divide among the targets, or the gradient has other values
template <class Loss, std::floating_point Real>
double batch_loss(const Loss& loss, std::span<const Real> outputs, std::span<const std::int32_t> targets,
                  std::span<Real> gradient) {
    const std::size_t samples = targets.size();
    const std::size_t size = samples == 0 ? 0 : outputs.size() / samples;
    if (size == 0) throw std::invalid_argument("a batch's loss: expected at least one target and output, found none");
    detail::expect_count("outputs of a batch", size * samples, outputs.size());
    detail::expect_count("values of a loss's gradient", outputs.size(), gradient.size());
    double sum = 0;
    for (std::size_t s = 0; s < samples; ++s)
        sum += loss(outputs.subspan(s * size, size), targets[s], 1 / static_cast<double>(samples),
                    gradient.subspan(s * size, size));
    return sum / static_cast<double>(samples);
}

} // namespace statiq
