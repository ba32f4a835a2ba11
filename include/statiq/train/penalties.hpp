// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/train/trainable.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace statiq {

/// What a loss has beside the data's: adds its gradient to the trainables' and gives its value.
using penalty = std::function<double(std::span<const trainable>, std::span<const training_state>)>;

/// Which trainables a penalty is about.
using trainable_choice = std::function<bool(const trainable&)>;

/// Weights of convolutions and dense layers; not biases, nor what a batch norm learns.
inline bool is_weight(const trainable& one) { return one.role == parameter_role::weight; }
/// Those of depthwise convolutions: P1 section 2.3.3 narrows their range by a penalty on nothing else.
inline bool is_depthwise_weight(const trainable& one) { return is_weight(one) && one.depthwise; }

/// A choice without some layers, which are given by name.
inline trainable_choice outside(std::vector<std::string> layers, trainable_choice choice) {
    return [layers = std::move(layers), choice = std::move(choice)](const trainable& one) {
        return std::ranges::find(layers, one.layer) == layers.end() && choice(one);
    };
}

/// decay / 2 times the sum of squares: weight decay, as SGD's users call it.
struct l2_penalty {
    double decay;
    trainable_choice of = is_weight;

    double operator()(std::span<const trainable> all, std::span<const training_state>) const {
        double squares = 0;
        for (const trainable& one : all) {
            if (!of(one)) continue;
            const auto factor = static_cast<float>(decay);
            for (std::size_t i = 0; i < one.values.size(); ++i) {
                squares += static_cast<double>(one.values[i]) * static_cast<double>(one.values[i]);
                one.gradient[i] += factor * one.values[i];
            }
        }
        return decay / 2 * squares;
    }
};

} // namespace statiq
