// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/real_call.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/kernels/backward/batch_norm.hpp>
#include <statiq/kernels/backward/channel_sums.hpp>
#include <statiq/train/executor_view.hpp>
#include <statiq/train/gradient_sink.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace statiq {

/// How batch norms learn their moving statistics: moving <- momentum moving + (1 - momentum) of the batch.
struct moving_statistics_rule {
    float momentum = 0.99F;
    /// A batch is normalized by the variance of its values as they are, their squared distances divided by their number
    /// n (P2 (18)). The moving variance takes the estimate n / (n - 1) times as large (Bessel's correction), which
    /// stands for the data the batch was drawn from; PyTorch and TensorFlow's fused batch norm do. Where a formula
    /// compares a batch's variance with the moving one (P2 (22)), it takes the uncorrected one, as the authors' code
    /// does, which multiplies by (n - 1) / n what their kernel gives out.
    bool corrected_variance = true;
};

/// Which mean and variance a batch norm normalizes by.
enum class statistics : unsigned char {
    batch,  ///< the batch's own, through which gradients flow; moving statistics learn
    moving, ///< what was learnt, as constants (P6: frozen)
};

namespace detail {

/// A batch norm in training, with the activation behind it.
class batch_norm_training {
  public:
    explicit batch_norm_training(const node& n)
        : clamp_(n.clamp), channels_(static_cast<std::size_t>(n.out.channels)), pixels_(n.out.pixels()),
          epsilon_(static_cast<double>(n.epsilon)) {
        for (auto* values : {&mean_, &inverse_, &scale_, &shift_, &by_gradient_, &by_input_, &constant_})
            values->resize(channels_);
    }

    /// @param learns whether the moving statistics, in `with`, take this batch in
    void forward(const executor_view& threads, const float* input, std::size_t samples, statistics which, bool learns,
                 const moving_statistics_rule& rule, layer_parameters& with, float* output) {
        which_ = which;
        if (which == statistics::batch) find_moments(threads, input, samples);
        for (std::size_t c = 0; c < channels_; ++c) {
            const double mean = which == statistics::batch ? moments_[c].mean : static_cast<double>(with.mean[c]);
            const double variance = which == statistics::batch ? moments_[c].squares / moments_[c].count
                                                               : static_cast<double>(with.variance[c]);
            const double inverse = 1 / std::sqrt(variance + epsilon_);
            const double scale = static_cast<double>(with.gamma[c]) * inverse;
            mean_[c] = static_cast<float>(mean);
            inverse_[c] = static_cast<float>(inverse);
            scale_[c] = static_cast<float>(scale);
            shift_[c] = static_cast<float>(static_cast<double>(with.beta[c]) - scale * mean);
        }
        if (which == statistics::batch && learns) learn(rule, with);
        threads.in_shares(samples, [&](std::size_t, std::size_t first, std::size_t last) {
            const std::size_t offset = first * pixels_ * channels_;
            kernels::scale_channels(input + offset, (last - first) * pixels_, channels_, scaling(), output + offset);
        });
    }

    /// The gradients of gamma and beta; afterwards, that of the input can be had.
    void parameter_gradients(const executor_view& threads, const float* input, const float* output_gradient,
                             std::size_t samples, const layer_parameters& with, layer_parameters& gradients) {
        const std::size_t size = pixels_ * channels_;
        gamma_sums_.assign(samples * channels_, 0.0);
        beta_sums_.assign(samples * channels_, 0.0);
        threads.run(samples, [&](std::size_t s) {
            kernels::add_batch_norm_sums(input + s * size, output_gradient + s * size, pixels_, channels_, scaling(),
                                         normalization(), gamma_sums_.data() + s * channels_,
                                         beta_sums_.data() + s * channels_);
        });
        const auto count = static_cast<double>(samples * pixels_);
        for (std::size_t c = 0; c < channels_; ++c) {
            double gamma = 0;
            double beta = 0;
            for (std::size_t s = 0; s < samples; ++s) {
                gamma += gamma_sums_[s * channels_ + c];
                beta += beta_sums_[s * channels_ + c];
            }
            gradients.gamma[c] = static_cast<float>(gamma);
            gradients.beta[c] = static_cast<float>(beta);
            // dx = gamma inverse (dy - dbeta / n - xn dgamma / n); the last two are the statistics' own way.
            const double inverse = static_cast<double>(inverse_[c]);
            const double scale = static_cast<double>(with.gamma[c]) * inverse;
            const double moving = which_ == statistics::batch ? scale / count : 0.0;
            by_gradient_[c] = static_cast<float>(scale);
            by_input_[c] = static_cast<float>(-moving * inverse * gamma);
            constant_[c] = static_cast<float>(-moving * beta);
        }
    }

    void input_gradient(const executor_view& threads, const float* input, const float* output_gradient,
                        std::size_t samples, const gradient_sink& to) const {
        const std::size_t size = pixels_ * channels_;
        const kernels::batch_norm_gradient_coefficients of{by_gradient_.data(), by_input_.data(), constant_.data()};
        to.take(threads, samples, size, [&](std::size_t sample, float*, float* gradient) {
            kernels::batch_norm_gradient(input + sample * size, output_gradient + sample * size, pixels_, channels_,
                                         scaling(), normalization(), of, gradient);
        });
    }

  private:
    [[nodiscard]] kernels::channel_scaling scaling() const noexcept {
        return {scale_.data(), shift_.data(), clamp_.lowest, clamp_.highest};
    }
    [[nodiscard]] kernels::channel_normalization normalization() const noexcept {
        return {mean_.data(), inverse_.data()};
    }

    /// Sample by sample, merged in their order: the same however many threads there are.
    void find_moments(const executor_view& threads, const float* input, std::size_t samples) {
        sample_moments_.assign(samples * channels_, {});
        threads.run(samples, [&](std::size_t s) {
            kernels::add_moments(input + s * pixels_ * channels_, pixels_, channels_,
                                 sample_moments_.data() + s * channels_);
        });
        moments_.assign(channels_, {});
        for (std::size_t s = 0; s < samples; ++s)
            for (std::size_t c = 0; c < channels_; ++c) moments_[c].merge(sample_moments_[s * channels_ + c]);
    }

    void learn(const moving_statistics_rule& rule, layer_parameters& with) const {
        const auto kept = static_cast<double>(rule.momentum);
        for (std::size_t c = 0; c < channels_; ++c) {
            const kernels::moments& m = moments_[c];
            // One value has no spread to be corrected.
            const double divisor = rule.corrected_variance && m.count > 1 ? m.count - 1 : m.count;
            const auto learnt = [kept](float moving, double batch) {
                return static_cast<float>(kept * static_cast<double>(moving) + (1 - kept) * batch);
            };
            with.mean[c] = learnt(with.mean[c], m.mean);
            with.variance[c] = learnt(with.variance[c], m.squares / divisor);
        }
    }

    real_clamp clamp_;
    std::size_t channels_;
    std::size_t pixels_;
    double epsilon_;
    statistics which_ = statistics::batch;
    std::vector<kernels::moments> moments_;
    std::vector<kernels::moments> sample_moments_;
    std::vector<double> gamma_sums_;
    std::vector<double> beta_sums_;
    // Each [channels]:
    std::vector<float> mean_;
    std::vector<float> inverse_;
    std::vector<float> scale_;
    std::vector<float> shift_;
    std::vector<float> by_gradient_;
    std::vector<float> by_input_;
    std::vector<float> constant_;
};

} // namespace detail

} // namespace statiq
