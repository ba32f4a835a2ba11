// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simulate/float_simulation.hpp>
#include <statiq/train/quantized_training_network.hpp>

#include "make_trainee.hpp"
#include <cmath>
#include <stdexcept>
#include <string>

namespace train {

template <class Net, class Weight, class Activation, class Estimator>
using quantized_network =
    sq::quantized_training_network<Net, sq::numbers_chosen<sq::deployed<Net>, Weight, Activation>, Estimator, true>;

template <class Net, class Weight, class Activation, class Estimator>
class quantized_trainee final : public trainee_of<Net, quantized_network<Net, Weight, Activation, Estimator>> {
  public:
    explicit quantized_trainee(const beginning& with)
        : trainee_of<Net, quantized_network<Net, Weight, Activation, Estimator>>(with, with.quantized->rule) {}

    [[nodiscard]] std::vector<sq::range> ranges() const override {
        const auto learned = this->network_.ranges();
        return {learned.begin(), learned.end()};
    }
    /// By the deployed network's values, unrounded; where these are finite, by the outputs.
    std::optional<std::size_t> first_not_finite(std::span<const float> samples) override {
        sq::simulation<> network = sq::float_simulation(this->deployed());
        const std::size_t size = network.nodes().front().out.size();
        std::size_t first = network.nodes().size() - 1;
        for (std::size_t s = 0; s < samples.size(); s += size)
            network.run(samples.subspan(s, size), [&](std::size_t index, const float* values) {
                const std::span<const float> all(values, network.nodes()[index].out.size());
                if (index < first && !std::ranges::all_of(all, [](float x) { return std::isfinite(x); })) first = index;
            });
        const int trained = sq::find_node<Net>(network.nodes()[first].name.view());
        return trained < 0 ? Net::nodes.size() - 1 : static_cast<std::size_t>(trained);
    }
};

template <class Net>
std::unique_ptr<trainee> make_quantized_trainee(const beginning& with) {
    const fake_quantization& how = *with.quantized;
    const auto of = [&]<class Weight, class Activation>() -> std::unique_ptr<trainee> {
        if (how.masked) return std::make_unique<quantized_trainee<Net, Weight, Activation, sq::masked_estimator>>(with);
        return std::make_unique<quantized_trainee<Net, Weight, Activation, sq::identity_estimator>>(with);
    };
    const auto with_bits = [&]<int WeightBits, int ActivationBits>() -> std::unique_ptr<trainee> {
        using activation = sq::quantized<ActivationBits, sq::asymmetric>;
        if (how.scheme == "symmetric_channel")
            return of.template operator()<sq::quantized<WeightBits, sq::symmetric, sq::per_channel>, activation>();
        if (how.scheme == "asymmetric_tensor")
            return of.template operator()<sq::quantized<WeightBits, sq::asymmetric>, activation>();
        throw std::invalid_argument("--scheme " + how.scheme +
                                    ": --fake-quantize takes symmetric_channel and asymmetric_tensor");
    };
    if (how.weight_bits == 8 && how.activation_bits == 8) return with_bits.template operator()<8, 8>();
    if (how.weight_bits == 4 && how.activation_bits == 8) return with_bits.template operator()<4, 8>();
    if (how.weight_bits == 8 && how.activation_bits == 4) return with_bits.template operator()<8, 4>();
    throw std::invalid_argument("--fake-quantize " + std::to_string(how.weight_bits) + "," +
                                std::to_string(how.activation_bits) + ": expected 8,8 or 4,8 or 8,4");
}

} // namespace train
