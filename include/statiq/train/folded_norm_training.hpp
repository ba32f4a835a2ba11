// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/kernels/backward/batch_norm.hpp>
#include <statiq/kernels/backward/channel_sums.hpp>
#include <statiq/passes/fold_batch_norm.hpp>
#include <statiq/train/batch_norm_training.hpp>
#include <statiq/train/executor_view.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace statiq {

/// How a batch norm takes part in quantized training, where it is folded into the weights that are quantized (P2 3.2).
enum class norm_folding : unsigned char {
    /// By the moving statistics, as constants (P6; P2 (28)-(31), what correction ends in): W gamma / sigma. What is
    /// trained is what is deployed.
    frozen,
    /// By each batch's own statistics: W gamma / sigma_B. The quantized weights jitter from batch to batch.
    naive,
    /// By the moving statistics, with sums corrected to those of the batch, c = sigma_B / sigma (P2 (22)-(27)):
    /// conv(Q(W gamma / sigma), x) / c + beta - gamma mu_B / sigma_B.
    corrected
};

namespace detail {

/// A batch norm that is folded by a batch's statistics. Of output channel o, u being the sums of the quantized weights
/// and z those of the unquantized unfolded ones:
///
///     weights  k W,  k = gamma / sigma_B (naive) or gamma / sigma (corrected)
///     result   s u + t,  s = 1 or sigma / sigma_B,  t = beta - gamma mu_B / sigma_B,  mu_B and sigma_B of z
///
/// The way back goes through mu_B and sigma_B as well: they are functions of W and x.
class folded_norm_training {
  public:
    folded_norm_training(const node& made, float epsilon)
        : channels_(static_cast<std::size_t>(made.out.channels)), pixels_(made.out.pixels()),
          epsilon_(static_cast<double>(epsilon)) {
        zeros_.assign(channels_, 0.0F);
        ones_.assign(channels_, 1.0F);
        for (auto* values : {&result_scale_, &result_shift_, &mean_, &by_sum_, &constant_}) values->resize(channels_);
        weight_scale_.resize(channels_);
        moving_sigma_.resize(channels_);
    }

    /// Finds the statistics of the unquantized sums z.
    void find_statistics(const executor_view& threads, const float* z, std::size_t samples, norm_folding how,
                         const layer_parameters& norm) {
        how_ = how;
        sample_moments_.assign(samples * channels_, {});
        threads.run(samples, [&](std::size_t s) {
            kernels::add_moments(z + s * pixels_ * channels_, pixels_, channels_,
                                 sample_moments_.data() + s * channels_);
        });
        moments_.assign(channels_, {});
        for (std::size_t s = 0; s < samples; ++s)
            for (std::size_t c = 0; c < channels_; ++c) moments_[c].merge(sample_moments_[s * channels_ + c]);
        for (std::size_t c = 0; c < channels_; ++c) {
            const double gamma = static_cast<double>(norm.gamma[c]);
            const bool corrects = how == norm_folding::corrected;
            moving_sigma_[c] = std::sqrt(static_cast<double>(norm.variance[c]) + epsilon_);
            weight_scale_[c] = gamma / (corrects ? moving_sigma_[c] : batch_sigma(c));
            result_scale_[c] = corrects ? static_cast<float>(moving_sigma_[c] / batch_sigma(c)) : 1.0F;
            result_shift_[c] =
                static_cast<float>(static_cast<double>(norm.beta[c]) - gamma * moments_[c].mean / batch_sigma(c));
            mean_[c] = static_cast<float>(moments_[c].mean);
        }
    }

    /// k, for each output channel.
    [[nodiscard]] const std::vector<double>& weight_scale() const noexcept { return weight_scale_; }

    /// Moving statistics take the batch in. The layer's own bias moves the mean of what the norm sees.
    void learn(const moving_statistics_rule& rule, const std::vector<float>& bias, layer_parameters& norm) const {
        const auto kept = static_cast<double>(rule.momentum);
        const auto moved = [kept](float moving, double batch) {
            return static_cast<float>(kept * static_cast<double>(moving) + (1 - kept) * batch);
        };
        for (std::size_t c = 0; c < channels_; ++c) {
            const double count = moments_[c].count;
            const double divisor = rule.corrected_variance && count > 1 ? count - 1 : count;
            const double offset = bias.empty() ? 0.0 : static_cast<double>(bias[c]);
            norm.mean[c] = moved(norm.mean[c], moments_[c].mean + offset);
            norm.variance[c] = moved(norm.variance[c], moments_[c].squares / divisor);
        }
    }

    /// s u + t; in place or not.
    void finish(const executor_view& threads, const float* u, std::size_t samples, float* result) const {
        scale(threads, u, samples, {result_scale_.data(), result_shift_.data()}, result);
    }

    /// Turns the gradient of the result into that of u, in place, and keeps what the rest of the way needs.
    void begin_back(const executor_view& threads, const float* u, std::size_t samples, float* gradient) {
        const std::size_t size = pixels_ * channels_;
        sums_of_products_.assign(samples * channels_, 0.0);
        sums_.assign(samples * channels_, 0.0);
        threads.run(samples, [&](std::size_t s) {
            kernels::add_batch_norm_sums(u + s * size, gradient + s * size, pixels_, channels_,
                                         {ones_.data(), zeros_.data()}, {zeros_.data(), ones_.data()},
                                         sums_of_products_.data() + s * channels_, sums_.data() + s * channels_);
        });
        for (std::size_t s = 1; s < samples; ++s)
            for (std::size_t c = 0; c < channels_; ++c) {
                sums_of_products_[c] += sums_of_products_[s * channels_ + c];
                sums_[c] += sums_[s * channels_ + c];
            }
        scale(threads, gradient, samples, {result_scale_.data(), zeros_.data()}, gradient);
    }

    /// From the gradient of the folded weights, those of gamma and beta, and that of z, written over z.
    /// @param products of each channel, the sum of folded weights' gradients times W
    void parameter_gradients(const executor_view& threads, const std::vector<double>& products,
                             const layer_parameters& norm, layer_parameters& gradients, std::size_t samples, float* z) {
        const double count = static_cast<double>(samples * pixels_);
        for (std::size_t c = 0; c < channels_; ++c) {
            const double gamma = static_cast<double>(norm.gamma[c]);
            const double sigma = batch_sigma(c);
            const double mean = moments_[c].mean;
            const bool corrects = how_ == norm_folding::corrected;
            const double moving = moving_sigma_[c];
            gradients.beta[c] = static_cast<float>(sums_[c]);
            gradients.gamma[c] =
                static_cast<float>(products[c] / (corrects ? moving : sigma) - mean / sigma * sums_[c]);
            double by_sigma = gamma * mean / (sigma * sigma) * sums_[c];
            if (corrects)
                by_sigma -= moving / (sigma * sigma) * sums_of_products_[c];
            else
                by_sigma -= gamma / (sigma * sigma) * products[c];
            by_sum_[c] = static_cast<float>(by_sigma / (count * sigma));
            constant_[c] = static_cast<float>(-gamma / sigma * sums_[c] / count);
        }
        const std::size_t size = pixels_ * channels_;
        threads.in_shares(samples, [&](std::size_t, std::size_t first, std::size_t last) {
            kernels::batch_norm_gradient(z + first * size, z + first * size, (last - first) * pixels_, channels_,
                                         {ones_.data(), zeros_.data()}, {mean_.data(), ones_.data()},
                                         {zeros_.data(), by_sum_.data(), constant_.data()}, z + first * size);
        });
    }

  private:
    [[nodiscard]] double batch_sigma(std::size_t c) const {
        return std::sqrt(moments_[c].squares / moments_[c].count + epsilon_);
    }
    void scale(const executor_view& threads, const float* from, std::size_t samples, const kernels::channel_scaling& by,
               float* to) const {
        const std::size_t size = pixels_ * channels_;
        threads.in_shares(samples, [&](std::size_t, std::size_t first, std::size_t last) {
            kernels::scale_channels(from + first * size, (last - first) * pixels_, channels_, by, to + first * size);
        });
    }

    std::size_t channels_;
    std::size_t pixels_;
    double epsilon_;
    norm_folding how_ = norm_folding::naive;
    std::vector<kernels::moments> moments_;
    std::vector<kernels::moments> sample_moments_;
    std::vector<double> sums_of_products_;
    std::vector<double> sums_;
    // Each [channels]:
    std::vector<double> weight_scale_;
    std::vector<double> moving_sigma_; ///< before it learnt from the batch
    std::vector<float> result_scale_;
    std::vector<float> result_shift_;
    std::vector<float> mean_;
    std::vector<float> by_sum_;
    std::vector<float> constant_;
    std::vector<float> zeros_;
    std::vector<float> ones_;
};

} // namespace detail

} // namespace statiq
