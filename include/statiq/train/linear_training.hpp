// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/real_call.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/kernels/backward/channel_sums.hpp>
#include <statiq/kernels/backward/input_gradient.hpp>
#include <statiq/kernels/backward/weight_gradient.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>
#include <statiq/tensor/aligned_vector.hpp>
#include <statiq/train/executor_view.hpp>
#include <statiq/train/gradient_sink.hpp>
#include <statiq/train/weight_order.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace statiq::detail {

/// Samples [first, last) as one tall image, where pixels do not see their neighbours: weights are read once for all.
constexpr convolution_shape tall(convolution_shape shape, std::size_t samples) noexcept {
    shape.in.height *= static_cast<int>(samples);
    shape.out.height *= static_cast<int>(samples);
    return shape;
}
constexpr bool may_be_tall(const convolution_shape& shape) noexcept {
    return shape.over == window{} && shape.in.pixels() == shape.out.pixels() && !shape.is_depthwise();
}

/// A convolution or dense layer in training: its weights as the kernels read them, forwards and backwards, and the work
/// on a batch, divided among threads. Bits do not depend on how many these are.
class linear_training {
  public:
    linear_training(const node& n, bool gives) : node_(n), shape_(n.convolution()), gives_(gives) {
        order_ = weight_order(shape_.weight_count(), kernels::packed_weight_count<float, float>(shape_),
                              [this](const float* natural, float* packed) {
                                  kernels::pack_weights<float, float>(natural, packed, shape_);
                              });
        packed_.resize(order_.size());
        bias_.resize(static_cast<std::size_t>(shape_.out.channels));
        if (gives) {
            std::vector<float> turned(shape_.weight_count());
            order_back_ = weight_order(shape_.weight_count(), kernels::packed_gradient_weight_count(shape_),
                                       [&](const float* natural, float* packed) {
                                           kernels::pack_gradient_weights(natural, packed, turned.data(), shape_);
                                       });
            packed_back_.resize(order_back_.size());
            zeros_.resize(static_cast<std::size_t>(shape_.in.channels));
        }
        // Parts of the weights' gradient that threads may compute: enough for several threads, from the shape alone.
        constexpr int parts_wanted = 16;
        channels_per_unit_ = shape_.is_depthwise() ? 16 : 48;
        units_ = (shape_.out.channels + channels_per_unit_ - 1) / channels_per_unit_;
        splits_ = static_cast<std::size_t>((std::max)(1, parts_wanted / units_));
    }

    /// Takes the parameters that the next way forward and back will use.
    void pack(const executor_view& threads, const layer_parameters& from) {
        order_.pack(threads, from.weight.data(), packed_.data());
        if (node_.has_bias) std::copy(from.bias.begin(), from.bias.end(), bias_.begin());
        if (gives_) order_back_.pack(threads, from.weight.data(), packed_back_.data());
    }

    void forward(const executor_view& threads, const float* input, std::size_t samples, const real_clamp& clamp,
                 float* output) const {
        for_samples(threads, samples, [&](const convolution_shape& shape, std::size_t first) {
            kernels::float_stack_scratch scratch;
            kernels::convolution(kernels::float_convolution_arguments{.input = input + first * shape_.in.size(),
                                                                      .weights = packed_.data(),
                                                                      .bias = bias_.data(),
                                                                      .output = output + first * shape_.out.size(),
                                                                      .lowest = clamp.lowest,
                                                                      .highest = clamp.highest,
                                                                      .scratch = scratch.memory()},
                                 shape);
        });
    }

    /// The gradients of weights and bias.
    void parameter_gradients(const executor_view& threads, const float* input, const float* output_gradient,
                             std::size_t samples, layer_parameters& gradient) {
        weight_gradient(threads, input, output_gradient, samples, gradient.weight);
        if (node_.has_bias) bias_gradient(threads, output_gradient, samples, gradient.bias);
    }

    void input_gradient(const executor_view& threads, const float* output_gradient, std::size_t samples,
                        const gradient_sink& to) const {
        const auto make = [&](const convolution_shape& shape, std::size_t sample, float* phases, float* gradient) {
            kernels::input_gradient({.output_gradient = output_gradient + sample * shape_.out.size(),
                                     .weights = packed_back_.data(),
                                     .zeros = zeros_.data(),
                                     .phases = phases,
                                     .gradient = gradient},
                                    shape);
        };
        if (may_be_tall(shape_) && !to.adds) {
            threads.in_shares(samples, [&](std::size_t share, std::size_t first, std::size_t last) {
                if (first < last)
                    make(tall(shape_, last - first), first, to.scratch[share], to.gradient + first * shape_.in.size());
            });
            return;
        }
        to.take(threads, samples, shape_.in.size(),
                [&](std::size_t sample, float* room, float* gradient) { make(shape_, sample, room, gradient); });
    }

  private:
    template <class Work>
    void for_samples(const executor_view& threads, std::size_t samples, Work&& work) const {
        threads.in_shares(samples, [&](std::size_t, std::size_t first, std::size_t last) {
            if (may_be_tall(shape_)) {
                if (first < last) work(tall(shape_, last - first), first);
                return;
            }
            for (std::size_t s = first; s < last; ++s) work(shape_, s);
        });
    }

    void weight_gradient(const executor_view& threads, const float* input, const float* output_gradient,
                         std::size_t samples, std::vector<float>& gradient) {
        const std::size_t splits = (std::min)(splits_, samples);
        const std::size_t weights = shape_.weight_count();
        if (splits > 1) parts_.resize(splits * weights);
        float* parts = splits > 1 ? parts_.data() : gradient.data();
        std::fill_n(parts, splits * weights, 0.0F);
        const auto units = static_cast<std::size_t>(units_);
        threads.run(splits * units, [&](std::size_t part) {
            const std::size_t split = part / units;
            const int first = static_cast<int>(part % units) * channels_per_unit_;
            kernels::add_weight_gradient({.input = input,
                                          .output_gradient = output_gradient,
                                          .first_pixel = samples * split / splits * shape_.out.pixels(),
                                          .last_pixel = samples * (split + 1) / splits * shape_.out.pixels(),
                                          .first_channel = first,
                                          .last_channel = (std::min)(shape_.out.channels, first + channels_per_unit_),
                                          .gradient = parts + split * weights},
                                         shape_);
        });
        if (splits == 1) return;
        std::copy_n(parts, weights, gradient.data());
        for (std::size_t split = 1; split < splits; ++split)
            for (std::size_t w = 0; w < weights; ++w) gradient[w] += parts[split * weights + w];
    }

    void bias_gradient(const executor_view& threads, const float* output_gradient, std::size_t samples,
                       std::vector<float>& gradient) {
        const auto channels = static_cast<std::size_t>(shape_.out.channels);
        sums_.assign(samples * channels, 0.0);
        threads.run(samples, [&](std::size_t s) {
            kernels::add_channel_sums(output_gradient + s * shape_.out.size(), shape_.out.pixels(), channels,
                                      sums_.data() + s * channels);
        });
        for (std::size_t c = 0; c < channels; ++c) {
            double sum = 0;
            for (std::size_t s = 0; s < samples; ++s) sum += sums_[s * channels + c];
            gradient[c] = static_cast<float>(sum);
        }
    }

    node node_;
    convolution_shape shape_;
    bool gives_; ///< its input's gradient is wanted
    int channels_per_unit_ = 0;
    int units_ = 0;
    std::size_t splits_ = 1;
    weight_order order_;
    weight_order order_back_;
    aligned_vector<float> packed_;
    std::vector<float> bias_;
    aligned_vector<float> packed_back_;
    std::vector<float> zeros_;
    std::vector<float> parts_;
    std::vector<double> sums_;
};

} // namespace statiq::detail
