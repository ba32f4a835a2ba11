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
#include <functional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace statiq {

namespace detail {
constexpr bool are_distinct_names(std::span<const std::string_view> names) {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i].empty() || std::ranges::find(names.subspan(i + 1), names[i]) != names.end()) return false;
    return true;
}
} // namespace detail

/// A rule by which an optimizer moves one parameter tensor. `memory` names the kinds of numbers that it remembers of
/// every value, zero at first; checkpoints store each as `optimizer.<name>.<layer>.<tensor>`. `update` moves the values
/// along the gradient, of the same size, and rewrites its memory: `kept[k][i]` is the k-th kind, of value i. It is
/// called once a step for each tensor. A rule may list in `not_negative` the kinds that are never below zero:
/// checkpoints with other values are refused. Settings such as a momentum are the rule's members. They are the
/// program's to give again: checkpoints do not hold them.
/// @param rate of the schedule. @param step counted from 0
template <class T>
concept optimizer_rule = std::copy_constructible<T> && detail::are_distinct_names(T::memory) &&
    requires(const T& rule, std::span<float> values, std::span<const float> gradient,
             std::array<std::span<float>, T::memory.size()> kept, double rate, std::uint64_t step) {
    rule.update(values, gradient, kept, rate, step);
};

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
    static constexpr std::array<std::string_view, 1> not_negative{"second_moment"}; ///< a mean of squares

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

/// Any optimizer's rule: the library's or a program's.
class update_rule {
  public:
    template <class Rule>
    requires(!std::same_as<Rule, update_rule>)
        update_rule(Rule rule) { // implicit: rules are given where an update_rule is asked for
        static_assert(optimizer_rule<Rule>,
                      "statiq: no optimizer's rule; it needs `memory`, distinct names in an array of string_view, and "
                      "`update(values, gradient, kept, rate, step) const` (optimizer_rule in train/optimizer.hpp)");
        if constexpr (optimizer_rule<Rule>) {
            memory_names_ = Rule::memory;
            if constexpr (requires { Rule::not_negative; }) not_negative_ = Rule::not_negative;
            update_ = [rule = std::move(rule)](const trainable& one, std::span<const std::span<float>> kept,
                                               double rate, std::uint64_t step) {
                std::array<std::span<float>, Rule::memory.size()> of{};
                std::ranges::copy(kept, of.begin());
                rule.update(one.values, std::span<const float>(one.gradient), of, rate, step);
            };
        }
    }

    [[nodiscard]] std::span<const std::string_view> memory_names() const noexcept { return memory_names_; }
    /// Whether no value of this kind is below zero.
    [[nodiscard]] bool is_not_negative(std::string_view memory_name) const {
        return std::ranges::find(not_negative_, memory_name) != not_negative_.end();
    }
    /// Moves one tensor. @param kept its memory, in the order of the names
    void update(const trainable& one, std::span<const std::span<float>> kept, double rate, std::uint64_t step) const {
        update_(one, kept, rate, step);
    }

  private:
    std::span<const std::string_view> memory_names_;
    std::span<const std::string_view> not_negative_;
    std::function<void(const trainable&, std::span<const std::span<float>>, double, std::uint64_t)> update_;
};

/// Moves parameters along their gradients. Weight decay is not its business: decay is a penalty (penalties.hpp), whose
/// gradient is part of what arrives here. For Adam that is the coupled decay of P6's experiments, not AdamW's.
class optimizer {
  public:
    optimizer(update_rule rule, std::span<const trainable> of)
        : rule_(std::move(rule)), memory_(rule_.memory_names().size()) {
        for (const trainable& one : of) sizes_.push_back(one.values.size());
        for (std::vector<std::vector<float>>& kind : memory_)
            for (const std::size_t size : sizes_) kind.emplace_back(size);
    }

    /// @param of the same tensors at every call, those of the construction
    /// @throws std::invalid_argument when they are others
    void step(std::span<const trainable> of, double rate) {
        if (!std::ranges::equal(of, sizes_, {}, [](const trainable& one) { return one.values.size(); }))
            throw std::invalid_argument("an optimizer's step: the parameters are not those it was made for");
        std::vector<std::span<float>> kept(memory_.size());
        for (std::size_t i = 0; i < of.size(); ++i) {
            for (std::size_t k = 0; k < kept.size(); ++k) kept[k] = memory_[k][i];
            rule_.update(of[i], kept, rate, steps_);
        }
        ++steps_;
    }

    /// What it remembers of the trainables: `memory(k)[i]` is the k-th kind of number, of trainable i.
    [[nodiscard]] std::span<std::vector<float>> memory(std::size_t kind) noexcept { return memory_[kind]; }
    [[nodiscard]] std::span<const std::string_view> memory_names() const noexcept { return rule_.memory_names(); }
    [[nodiscard]] const update_rule& rule() const noexcept { return rule_; }
    /// Steps taken; to be restored together with the memory.
    [[nodiscard]] std::uint64_t& steps() noexcept { return steps_; }

  private:
    update_rule rule_;
    std::uint64_t steps_ = 0;
    std::vector<std::size_t> sizes_;                      // of the trainables
    std::vector<std::vector<std::vector<float>>> memory_; // [kind][trainable][value]
};

} // namespace statiq
