// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/lacking.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/numeric/number.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/threads/executor.hpp>
#include <statiq/train/fake_quantization.hpp>
#include <statiq/train/learned_ranges.hpp>
#include <statiq/train/quantized_batch_training.hpp>
#include <statiq/train/trainable.hpp>
#include <statiq/train/training_plan.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace statiq {

/// What quantized training is told.
struct quantized_training_rule {
    norm_folding folding = norm_folding::frozen;
    /// Of `corrected`: from this step on batch norms are folded by moving statistics, which stay (P2's freeze).
    std::uint64_t freeze_after = ~std::uint64_t{0};
    /// Of frozen norms: the gradients of folded weights and biases go to the unfolded ones as they are, and gamma and
    /// beta have none (P6).
    bool gradients_pass_folding = false;
    activation_range_rule ranges{};
    moving_statistics_rule statistics{};
    training_rounding rounding = training_rounding::deployed;
    std::uint64_t seed = 0; ///< of stochastic rounding
};

namespace detail {

/// Of each deployed node that is linear or has parameters of its own, the trained network's layers that it is made of.
/// Branches are not merged.
template <graph_type G>
constexpr std::array<folded_from, node_count<deployed<G>>> folded_layers() {
    using folded = batch_norm_folded<branches_merged<G>>;
    using fused = activations_fused<folded>;
    std::array<folded_from, node_count<fused>> from{};
    for (std::size_t d = 0; d < from.size(); ++d) {
        const node& n = fused::nodes[d];
        if (!n.is_linear() && !n.has_own_parameters()) continue;
        auto before = static_cast<std::size_t>(fused::origin[d]);
        if (folded::nodes[before].facts != n.facts) before = static_cast<std::size_t>(folded::nodes[before].input());
        const int last = folded::origin[before];
        const node& original = G::nodes[static_cast<std::size_t>(last)];
        if (!original.traits().normalizes)
            from[d] = {last, -1};
        else
            from[d] = {n.name == original.name ? -1 : original.input(), last};
    }
    return from;
}

template <graph_type Q>
constexpr auto plan_quantized_training(bool keeps_sums) {
    std::array<std::size_t, node_count<Q>> notes{};
    for (std::size_t i = 0; i < notes.size(); ++i) notes[i] = quantized_notes::bytes(Q::nodes[i], keeps_sums);
    return plan_training(Q::nodes, training_values::rounded, notes);
}
template <graph_type Q, bool KeepsSums>
inline constexpr auto quantized_training_plan = plan_quantized_training<Q>(KeepsSums);

} // namespace detail

/// A network trained with the numbers it will be deployed in (P2 3.2, P3 3, P6): float parameters, whose deployed and
/// quantized form computes each way forward; gradients pass the roundings straight through. By moving statistics, that
/// way forward is the simulated network's of the same parameters and ranges, bit for bit.
///
/// Branches that deployment merges are trained merged: give it `deployed<Net>` and `deploy(parameters)`.
/// @tparam Q the numbers: `numbers_chosen<deployed<G>, Weight, Activation, ...>`
/// @tparam Estimator `masked_estimator` or `identity_estimator`
/// @tparam ByBatchStatistics whether `naive` and `corrected` folding are wanted: they keep each layer's sums besides
template <graph_type G, rewritten_graph Q, straight_through_estimator Estimator = masked_estimator,
          bool ByBatchStatistics = false, requantization_scheme Scheme = default_scheme>
class quantized_training_network {
    static_assert(check_definitions<detail::gradient_verdict<G>>::passed);
    static_assert(check_definitions<detail::parameter_gradient_verdict<G>>::passed);

    static_assert(std::is_same_v<typename Q::source, deployed<G>>,
                  "statiq: quantized training uses the numbers of the deployed network");
    static_assert(node_count<branches_merged<G>> == node_count<G>,
                  "statiq: branches merge when this network is deployed; train deployed<Net> in their place");

  public:
    using graph = G;

    /// @param batch most samples at a time. @param on what runs the work; it must outlive the network.
    template <executor E>
    quantized_training_network(parameters<G> initial, std::size_t batch, E& on,
                               const quantized_training_rule& rule = {})
        : values_(std::move(initial)), gradients_(zero_gradients<G>()), rule_(rule), ranges_(node_count<deployed<G>>),
          machine_(detail::seen<execution_list<Q>>(plan), Q::origin, folded, G::nodes, batch,
                   Estimator::passes_saturated, ByBatchStatistics, executor_view(on)) {
        detail::require_sizes(G::nodes, values_.layers);
    }
    quantized_training_network(const quantized_training_network&) = delete;
    quantized_training_network& operator=(const quantized_training_network&) = delete;

    /// Bytes of values, gradients and notes that a batch of so many samples needs.
    [[nodiscard]] static constexpr std::size_t batch_bytes(std::size_t samples) noexcept {
        return plan.bytes_per_sample() * samples;
    }
    [[nodiscard]] std::size_t batch() const noexcept { return machine_.tensors().batch(); }

    /// Begins with ranges that were observed, by calibration say, as if a first batch had set them.
    void set_ranges(const node_ranges<deployed<G>>& seen) {
        for (std::size_t d = 0; d < seen.size(); ++d) ranges_.set(d, seen[d]);
        batches_seen_ = std::max<std::uint64_t>(batches_seen_, 1);
    }
    /// Whether ranges learn from now on.
    void learn_ranges(bool learns) noexcept { learns_ranges_ = learns; }

    /// Computes the network's outputs for some samples, `input_extents<G>.size()` floats each, side by side; learns
    /// ranges and moving statistics as told. Counts a step.
    /// @param samples a whole number of samples, 1 to batch(); must stay in memory until `backward` is done
    /// @return the last node's values, for each sample; they last until `backward`
    /// @throws std::invalid_argument when they are not
    std::span<const float> forward(std::span<const float> samples) {
        const bool frozen = rule_.folding == norm_folding::frozen || steps_ >= rule_.freeze_after;
        const auto result = run(samples, {.folding = frozen ? norm_folding::frozen : rule_.folding,
                                          .gradients_pass_folding = rule_.gradients_pass_folding,
                                          .rounds_activations = steps_ >= rule_.ranges.delay,
                                          .learns_ranges = learns_ranges_,
                                          .begins_ranges = batches_seen_ == 0,
                                          .learns_statistics = true,
                                          .range_momentum = rule_.ranges.momentum,
                                          .statistics = rule_.statistics,
                                          .rounding = rule_.rounding,
                                          .seed = rule_.seed,
                                          .step = steps_});
        ++steps_;
        if (learns_ranges_) ++batches_seen_;
        return result;
    }
    /// The simulated network's outputs, of parameters and ranges as they are. Learns nothing.
    std::span<const float> evaluate(std::span<const float> samples) {
        return run(samples, {.learns_ranges = false, .learns_statistics = false});
    }

    /// Computes the gradients of all parameters from the loss's with respect to the last node's values, of the samples
    /// that `forward` was given. Gradients of the step before are overwritten.
    /// @throws std::invalid_argument when the gradient has not the output's values for every sample
    void backward(std::span<const float> loss_gradient) {
        const output_gradient last{node_count<Q> - 1, loss_gradient};
        machine_.backward(std::span<const output_gradient>(&last, 1), values_.layers, gradients_.layers);
    }

    [[nodiscard]] const parameters<G>& values() const noexcept { return values_; }
    [[nodiscard]] const parameters<G>& gradients() const noexcept { return gradients_; }
    /// What `quantize_parameters` takes, with `deploy(values())`.
    [[nodiscard]] node_ranges<deployed<G>> ranges() const {
        node_ranges<deployed<G>> found{};
        for (std::size_t d = 0; d < found.size(); ++d) found[d] = ranges_[d];
        return found;
    }

    [[nodiscard]] std::vector<trainable> trainables() {
        return list_trainables(G::nodes, values_.layers, gradients_.layers);
    }
    /// Moving statistics, under the names of the trained network's layers, and ranges, under the deployed one's.
    [[nodiscard]] std::vector<training_state> states() {
        std::vector<training_state> listed = list_moving_statistics(G::nodes, values_.layers);
        for (std::size_t d = 0; d < node_count<deployed<G>>; ++d)
            listed.push_back({deployed<G>::nodes[d].name.view(), d, parameter_role::range, ranges_.values(d)});
        return listed;
    }
    [[nodiscard]] std::vector<training_counter> counters() {
        return {{"quantized_steps", &steps_}, {"range_batches", &batches_seen_}};
    }

  private:
    static constexpr const auto& plan = detail::quantized_training_plan<Q, ByBatchStatistics>;
    static constexpr auto folded = detail::folded_layers<G>();

    std::span<const float> run(std::span<const float> samples, const detail::quantized_manner& how) {
        const std::size_t count = detail::samples_in(samples, input_extents<G>.size(), batch());
        machine_.forward(samples.data(), count, values_.layers, ranges_, how);
        return {machine_.tensors().read(node_count<Q> - 1), count * output_extents<G>.size()};
    }

    parameters<G> values_;
    parameters<G> gradients_;
    quantized_training_rule rule_;
    learned_ranges ranges_;
    bool learns_ranges_ = true;
    std::uint64_t steps_ = 0;
    std::uint64_t batches_seen_ = 0;
    detail::quantized_batch_training<Scheme, execution_list<Q>> machine_;
};

} // namespace statiq
