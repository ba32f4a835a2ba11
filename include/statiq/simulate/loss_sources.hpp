// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/tensor/refusal.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace statiq {

/// A step of integer arithmetic that a simulation of reals takes, or leaves out. Sources take several by `|`.
enum class integer_step : unsigned char {
    none = 0,
    rounded_inputs = 1,    ///< reals that enter become integers: the network's input, or a lone layer's
    integer_weights = 2,   ///< weights and biases are integers
    saturated_results = 4, ///< results stay within the integers of their format
    rounded_results = 8,   ///< results are rounded to the scale of the layer's output
    integer_bounds = 16    ///< an activation's bounds are integers: 6 is the integer nearest to 6
};
constexpr integer_step operator|(integer_step a, integer_step b) {
    return static_cast<integer_step>(static_cast<unsigned char>(a) | static_cast<unsigned char>(b));
}

/// One tensor of a layer, that a source of loss may change in place.
struct loss_change {
    const node& n;               ///< the layer
    const number_format& format; ///< of the tensor; of sums, the output's. `floating` where it has no integers
    const affine& map;           ///< of the tensor; of sums, the output's
    std::span<float> values;     ///< [height][width][channels]
    /// Of sums: of each output channel, the step of the accumulator that holds them; empty where they stay reals.
    std::span<const double> steps{};
};

/// A source of loss: where a network that is executed otherwise departs from its float network. It is a constant that
/// lives as long as the program, and is told apart by its address. It names the steps of integer arithmetic that it
/// takes, and changes values itself at the places for which it has a function. A change comes before the steps of its
/// place, so that integers stay integers, an output's after them. Functions must not throw; of the same values they
/// always make the same.
struct loss_source {
    std::string_view name; ///< in reports
    integer_step steps = integer_step::none;
    /// Weights and bias of a linear layer, as it multiplies them: floats, or what their integers stand for.
    void (*weights)(const node& n, layer_parameters& values) = nullptr;
    void (*inputs)(const loss_change&) =
        nullptr; ///< what a layer reads, each of its inputs; a sample, at the network's input
    void (*sums)(const loss_change&) = nullptr;    ///< of a linear layer, before any rounding and clamping
    void (*outputs)(const loss_change&) = nullptr; ///< what a layer gives

    // Where an integer network departs from its float network (P1 figure 2), a step each.
    static const loss_source input;
    static const loss_source weight;
    static const loss_source saturation;
    static const loss_source requantization;
    static const loss_source clipping;
};
inline constexpr loss_source loss_source::input{"input", integer_step::rounded_inputs};
inline constexpr loss_source loss_source::weight{"weight", integer_step::integer_weights};
inline constexpr loss_source loss_source::saturation{"saturation", integer_step::saturated_results};
inline constexpr loss_source loss_source::requantization{"requantization", integer_step::rounded_results};
inline constexpr loss_source loss_source::clipping{"clipping", integer_step::integer_bounds};

/// A set of sources, in the order in which their changes are made. With none a simulation computes the float network,
/// with the five of quantization the integer one.
class loss_sources {
  public:
    static constexpr std::size_t most = 12;

    constexpr loss_sources() = default;
    constexpr loss_sources(const loss_source& one) { add(one); } // implicit: a source is a set of one
    constexpr loss_sources(const loss_source&&) = delete;        // it would be gone
    [[nodiscard]] static constexpr loss_sources none() { return {}; }
    /// The five of quantization.
    [[nodiscard]] static constexpr loss_sources all() {
        return loss_sources(loss_source::input) | loss_source::weight | loss_source::saturation |
               loss_source::requantization | loss_source::clipping;
    }

    [[nodiscard]] constexpr std::span<const loss_source* const> list() const { return {list_.data(), count_}; }
    [[nodiscard]] constexpr std::size_t size() const { return count_; }
    [[nodiscard]] constexpr const loss_source& operator[](std::size_t index) const { return *list_[index]; }
    [[nodiscard]] constexpr bool has(const loss_source& one) const {
        for (const loss_source* held : list())
            if (held == &one) return true;
        return false;
    }
    [[nodiscard]] constexpr bool takes(integer_step step) const { return (steps_ | step) == steps_; }
    [[nodiscard]] constexpr loss_sources without(const loss_source& one) const {
        loss_sources rest;
        for (const loss_source* held : list())
            if (held != &one) rest.add(*held);
        return rest;
    }
    /// Whether a source changes values at one of the places. @param place `&loss_source::sums`, say
    template <class Function>
    [[nodiscard]] constexpr bool change(Function loss_source::*place) const {
        for (const loss_source* held : list())
            if (held->*place != nullptr) return true;
        return false;
    }
    /// Makes the changes of one place.
    void apply(void (*loss_source::*place)(const loss_change&), const loss_change& to) const {
        for (const loss_source* held : list())
            if (held->*place != nullptr) (held->*place)(to);
    }
    friend constexpr loss_sources operator|(loss_sources a, const loss_sources& b) {
        for (const loss_source* held : b.list()) a.add(*held);
        return a;
    }
    /// Whether both hold the same sources.
    friend constexpr bool operator==(const loss_sources& a, const loss_sources& b) {
        for (const loss_source* held : a.list())
            if (!b.has(*held)) return false;
        return a.count_ == b.count_;
    }

  private:
    constexpr void add(const loss_source& one) {
        if (has(one)) return;
        detail::require_count("loss_sources: sources beyond their most", 0, count_ == most ? 1 : 0);
        list_[count_++] = &one;
        steps_ = steps_ | one.steps;
    }

    std::array<const loss_source*, most> list_{};
    std::size_t count_ = 0;
    integer_step steps_ = integer_step::none;
};

} // namespace statiq
