// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/model.hpp>
#include <statiq/io/parameters.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/train/initialize.hpp>
#include <statiq/train/training_network.hpp>

#include "trainee.hpp"
#include <algorithm>

namespace train {

/// The weights a training begins with.
template <class Net>
sq::parameters<Net> first_parameters(const beginning& with) {
    if (!with.from.empty()) return sq::load<Net>(with.from);
    sq::random_numbers random(with.seed);
    return sq::initial_parameters<Net>(random);
}

/// What is the same of a float and of a quantized network in training.
template <class Net, class Network>
class trainee_of : public trainee {
  public:
    [[nodiscard]] std::span<const sq::node> nodes() const override { return Net::nodes; }
    std::vector<sq::trainable> trainables() override { return network_.trainables(); }
    std::vector<sq::training_state> states() override { return network_.states(); }
    std::vector<sq::training_counter> counters() override { return network_.counters(); }
    std::span<const float> forward(std::span<const float> samples) override { return network_.forward(samples); }
    std::span<const float> evaluate(std::span<const float> samples) override { return network_.evaluate(samples); }
    void backward(std::span<const float> gradient) override { network_.backward(gradient); }
    [[nodiscard]] sq::network_data deployed() const override { return sq::as_data(sq::deploy(network_.values())); }
    [[nodiscard]] std::vector<sq::branch_scale> branch_scales() const override {
        return sq::branch_scales(network_.values());
    }

  protected:
    template <class... Rest>
    explicit trainee_of(const beginning& with, const Rest&... rest)
        : network_(first_parameters<Net>(with), with.batch, *with.threads, rest...) {}

    Network network_;
};

template <class Net>
class float_trainee final : public trainee_of<Net, sq::training_network<Net>> {
  public:
    explicit float_trainee(const beginning& with) : trainee_of<Net, sq::training_network<Net>>(with) {}
    std::optional<std::size_t> first_not_finite(std::span<const float> samples) override {
        return this->network_.first_not_finite(samples);
    }
};

template <class Net>
std::unique_ptr<trainee> make_trainee(const beginning& with) {
    return std::make_unique<float_trainee<Net>>(with);
}

template <class Net, class Weight>
std::vector<float> run_model(const sq::network_data& deployed, std::span<const sq::range> ranges,
                             const sq::io::image_set& images, std::size_t count) {
    sq::node_ranges<sq::deployed<Net>> of_nodes{};
    std::ranges::copy(ranges, of_nodes.begin());
    auto model = sq::quantize<Weight, sq::quantized<8, sq::asymmetric>>(sq::as_parameters<sq::deployed<Net>>(deployed),
                                                                        of_nodes);
    std::vector<float> outputs;
    for (std::size_t i = 0; i < count; ++i) {
        const auto made = model(images[i]);
        outputs.insert(outputs.end(), made.begin(), made.end());
    }
    return outputs;
}

template <class Net>
std::vector<float> run_integers(const sq::network_data& deployed, const std::string& scheme,
                                std::span<const sq::range> ranges, const sq::io::image_set& images, std::size_t count) {
    if (scheme == "symmetric_channel")
        return run_model<Net, sq::quantized<8, sq::symmetric, sq::per_channel>>(deployed, ranges, images, count);
    if (scheme == "asymmetric_tensor")
        return run_model<Net, sq::quantized<8, sq::asymmetric, sq::per_tensor>>(deployed, ranges, images, count);
    return {};
}

} // namespace train
