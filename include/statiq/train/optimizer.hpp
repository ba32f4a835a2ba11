// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/train/trainable.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace statiq {

/// Stochastic gradient descent: velocity = momentum velocity + gradient, value -= rate velocity (Sutskever et al., ICML
/// 2013, with the rate outside the velocity, as PyTorch has it). Nesterov's form steps by gradient + momentum velocity.
struct sgd {
    double momentum = 0.9;
    bool nesterov = false;

    static constexpr std::array<std::string_view, 1> memory{"velocity"};

    template <std::floating_point Real>
    void update(std::span<Real> values, std::span<const Real> gradient, std::array<std::span<Real>, 1> of, double rate,
                std::uint64_t) const {
        const auto kept = static_cast<Real>(momentum);
        const auto step = static_cast<Real>(rate);
        const std::span<Real> velocity = of[0];
        for (std::size_t i = 0; i < values.size(); ++i) {
            velocity[i] = kept * velocity[i] + gradient[i];
            values[i] -= step * (nesterov ? gradient[i] + kept * velocity[i] : velocity[i]);
        }
    }
};

/// Kingma and Ba, arXiv 1412.6980, algorithm 1.
struct adam {
    double first_decay = 0.9;
    double second_decay = 0.999;
    double epsilon = 1e-8;

    static constexpr std::array<std::string_view, 2> memory{"first_moment", "second_moment"};

    /// @param step counted from 0
    template <std::floating_point Real>
    void update(std::span<Real> values, std::span<const Real> gradient, std::array<std::span<Real>, 2> of, double rate,
                std::uint64_t step) const {
        const auto unbiased = [step](double decay) { return 1 - std::pow(decay, static_cast<double>(step + 1)); };
        const auto scale = static_cast<Real>(rate / unbiased(first_decay));
        const auto root = static_cast<Real>(1 / std::sqrt(unbiased(second_decay)));
        const auto first_share = static_cast<Real>(1 - first_decay);
        const auto second_share = static_cast<Real>(1 - second_decay);
        const auto least = static_cast<Real>(epsilon);
        const auto [first, second] = of;
        for (std::size_t i = 0; i < values.size(); ++i) {
            first[i] += first_share * (gradient[i] - first[i]);
            second[i] += second_share * (gradient[i] * gradient[i] - second[i]);
            values[i] -= scale * first[i] / (std::sqrt(second[i]) * root + least);
        }
    }
};

using update_rule = std::variant<sgd, adam>;

/// Moves parameters along their gradients. Weight decay is not its business: decay is a penalty (penalties.hpp), whose
/// gradient is part of what arrives here. For Adam that is the coupled decay of P6's experiments, not AdamW's.
class optimizer {
  public:
    optimizer(const update_rule& rule, std::span<const trainable> of) : rule_(rule) {
        std::visit([&]<class Rule>(const Rule&) { memory_.resize(Rule::memory.size()); }, rule_);
        for (std::vector<std::vector<float>>& kind : memory_)
            for (const trainable& one : of) kind.emplace_back(one.values.size());
    }

    /// @param of the same tensors at every call, those of the construction
    /// @throws std::invalid_argument when they are others
    void step(std::span<const trainable> of, double rate) {
        if (!std::ranges::equal(
                of, memory_[0], {}, [](const trainable& one) { return one.values.size(); },
                [](const std::vector<float>& one) { return one.size(); }))
            throw std::invalid_argument("an optimizer's step: the parameters are not those it was made for");
        std::visit(
            [&]<class Rule>(const Rule& rule) {
                for (std::size_t i = 0; i < of.size(); ++i) {
                    std::array<std::span<float>, Rule::memory.size()> kept;
                    for (std::size_t k = 0; k < kept.size(); ++k) kept[k] = memory_[k][i];
                    rule.template update<float>(of[i].values, of[i].gradient, kept, rate, steps_);
                }
            },
            rule_);
        ++steps_;
    }

    /// What it remembers of the trainables: `memory(k)[i]` is the k-th kind of number, of trainable i.
    [[nodiscard]] std::span<std::vector<float>> memory(std::size_t kind) noexcept { return memory_[kind]; }
    [[nodiscard]] std::span<const std::string_view> memory_names() const {
        return std::visit([]<class Rule>(const Rule&) { return std::span<const std::string_view>(Rule::memory); },
                          rule_);
    }
    /// Steps taken; to be restored together with the memory.
    [[nodiscard]] std::uint64_t& steps() noexcept { return steps_; }

  private:
    update_rule rule_;
    std::uint64_t steps_ = 0;
    std::vector<std::vector<std::vector<float>>> memory_; // [kind][trainable][value]
};

} // namespace statiq
