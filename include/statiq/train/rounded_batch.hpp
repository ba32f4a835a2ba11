// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/observers.hpp>
#include <statiq/execute/constants.hpp>
#include <statiq/execute/real_call.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/simulate/round_sums.hpp>
#include <statiq/train/batch_norm_training.hpp>
#include <statiq/train/batch_tensors.hpp>
#include <statiq/train/fake_quantization.hpp>
#include <statiq/train/folded_norm_training.hpp>
#include <statiq/train/learned_ranges.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace statiq::detail {

/// What a node of a quantized graph notes for its way back, for each sample.
struct quantized_notes {
    /// Nodes that round, saturate or clamp; the others move integers, or keep them.
    static constexpr bool has_mask(const node& n) { return n.traits().rounds || n.clamp.bounds(); }
    static constexpr std::size_t mask_bytes(const node& n) { return has_mask(n) ? aligned(n.out.size()) : 0; }
    /// Sums of the unquantized weights, then of the quantized ones.
    static constexpr std::size_t sums_bytes(const node& n) { return n.out.size() * sizeof(float); }
    static constexpr std::size_t bytes(const node& n, bool keeps_sums) {
        return mask_bytes(n) + (keeps_sums && n.is_linear() ? 2 * aligned(sums_bytes(n)) : 0);
    }
};

/// How one way forward through numbers is done.
struct quantized_manner {
    norm_folding folding = norm_folding::frozen;
    bool gradients_pass_folding = false; ///< of frozen norms: as if the folded parameters were the trained ones
    bool rounds_activations = true;
    bool learns_ranges = true;
    bool begins_ranges = false; ///< this batch sets the ranges
    bool learns_statistics = true;
    float range_momentum = 0;
    moving_statistics_rule statistics{};
    training_rounding rounding = training_rounding::deployed;
    std::uint64_t seed = 0;
    std::uint64_t step = 0;
};

/// A batch's activations in training on numbers: their ranges, how they are rounded, and what their gradients may pass.
class rounded_batch {
  public:
    /// @param origin of each node, the deployed node whose value it computes
    rounded_batch(const planned_graph& of, std::span<const int> origin, std::size_t batch, bool passes_saturated,
                  const executor_view& threads)
        : tensors_(of, batch, threads), layers_(of.nodes.size()), origin_(origin), passes_saturated_(passes_saturated) {
    }

    [[nodiscard]] const batch_tensors& tensors() const noexcept { return tensors_; }

  protected:
    [[nodiscard]] std::span<const node> nodes() const noexcept { return tensors_.graph().nodes; }
    [[nodiscard]] const executor_view& threads() const noexcept { return tensors_.threads(); }
    [[nodiscard]] std::size_t deployed_node(std::size_t i) const noexcept {
        return static_cast<std::size_t>(origin_[i]);
    }
    [[nodiscard]] bool rounds(const node& n) const noexcept {
        return how_.rounds_activations && !n.numbers.activation.floating;
    }
    [[nodiscard]] std::uint8_t* mask(std::size_t i) const noexcept {
        return reinterpret_cast<std::uint8_t*>(tensors_.note(i));
    }

    template <class Work>
    void for_samples(Work&& work) const {
        threads().in_shares(tensors_.samples(), [&](std::size_t share, std::size_t first, std::size_t last) {
            for (std::size_t s = first; s < last; ++s) work(share, s);
        });
    }

    /// The range of a node's reals, its activation applied, and its map from then on. A conversion has the range of
    /// what it converts.
    void learn_range(std::size_t i, const float* values, learned_ranges& ranges) {
        const node& n = nodes()[i];
        if (how_.learns_ranges && !n.traits().converts) {
            sample_extremes_.assign(tensors_.samples(), {});
            for_samples([&](std::size_t, std::size_t s) {
                sample_extremes_[s].see({values + s * n.out.size(), n.out.size()});
            });
            extremes seen;
            for (const extremes& one : sample_extremes_) seen.merge(one);
            const real_clamp bounds = n.clamp;
            seen.min = std::clamp(seen.min, bounds.lowest, bounds.highest);
            seen.max = std::clamp(seen.max, bounds.lowest, bounds.highest);
            ranges.learn(deployed_node(i), seen, how_.range_momentum, how_.begins_ranges);
        }
        choose_output(nodes(), i, ranges[deployed_node(i)], layers_);
    }

    void enter(std::size_t i, learned_ranges& ranges) {
        learn_range(i, tensors_.input(), ranges);
        const node& n = nodes()[i];
        const std::size_t size = n.out.size();
        for_samples([&](std::size_t, std::size_t s) {
            const float* from = tensors_.input() + s * size;
            float* to = tensors_.value(i) + s * size;
            if (rounds(n))
                round(i, from, s, to);
            else
                std::copy_n(from, size, to);
        });
    }

    void pass_on(std::size_t i, learned_ranges& ranges) {
        ranges.set(deployed_node(i), ranges[deployed_node(static_cast<std::size_t>(nodes()[i].input()))]);
        layers_[i].output = layers_[static_cast<std::size_t>(nodes()[i].input())].output;
    }

    [[nodiscard]] std::pair<std::int32_t, std::int32_t> bounds_of(std::size_t i) const {
        std::pair<std::int32_t, std::int32_t> bounds;
        set_clamp(nodes()[i], layers_[i].output, bounds.first, bounds.second);
        return bounds;
    }

    /// One sample's reals as the integers nearest to them, dequantized; in place or not.
    void round(std::size_t i, const float* from, std::size_t sample, float* to) const {
        const node& n = nodes()[i];
        const affine& map = layers_[i].output;
        const auto [lowest, highest] = bounds_of(i);
        if (how_.rounding == training_rounding::deployed) {
            round_reals(from, to, n.out.size(), map, lowest, highest);
            return;
        }
        number_format format = n.numbers.activation;
        format.lowest = lowest;
        format.highest = highest;
        with_rounding_rule(how_.rounding, draws_of(how_.seed, how_.step, 2 * i + 1, sample), [&](auto rule) {
            for (std::size_t v = 0; v < n.out.size(); ++v) to[v] = fake_quantize(from[v], map, format, rule);
        });
    }

    void clamp(const node& n, float* values) const {
        const real_clamp bounds = n.clamp;
        if (!n.clamp.bounds()) return;
        for_samples([&](std::size_t, std::size_t s) {
            float* of = values + s * n.out.size();
            for (std::size_t v = 0; v < n.out.size(); ++v) of[v] = std::clamp(of[v], bounds.lowest, bounds.highest);
        });
    }

    void note_mask(std::size_t i, const float* values) const {
        const node& n = nodes()[i];
        if (!quantized_notes::has_mask(n) || !tensors_.graph().steps[i].differentiated) return;
        constexpr float infinity = std::numeric_limits<float>::infinity();
        const real_clamp bounds = n.clamp;
        const bool saturates = rounds(n) && !passes_saturated_;
        const passing what{bounds.lowest, bounds.highest,
                           saturates ? representable(layers_[i].output, n.numbers.activation)
                                     : range{-infinity, infinity}};
        for_samples([&](std::size_t, std::size_t s) {
            note_passing(values + s * n.out.size(), n.out.size(), what, mask(i) + s * n.out.size());
        });
    }

    void mask_gradients(std::size_t i) const {
        const node& n = nodes()[i];
        if (!quantized_notes::has_mask(n)) return;
        for_samples([&](std::size_t, std::size_t s) {
            mask_gradient(mask(i) + s * n.out.size(), n.out.size(), tensors_.gradient(i) + s * n.out.size());
        });
    }

    batch_tensors tensors_;
    std::vector<quantized_layer> layers_; ///< of each node, its integers and maps in this way forward
    quantized_manner how_{};

  private:
    std::span<const int> origin_;
    bool passes_saturated_;
    std::vector<extremes> sample_extremes_;
};

} // namespace statiq::detail
