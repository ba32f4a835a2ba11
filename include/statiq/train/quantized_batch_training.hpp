// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/constants.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/passes/weight_maps.hpp>
#include <statiq/simulate/dequantize_layer.hpp>
#include <statiq/simulate/integers_between_reals.hpp>
#include <statiq/simulate/round_sums.hpp>
#include <statiq/tensor/weight_walk.hpp>
#include <statiq/train/batch_tensors.hpp>
#include <statiq/train/fake_quantization.hpp>
#include <statiq/train/folded_layer.hpp>
#include <statiq/train/folded_norm_training.hpp>
#include <statiq/train/learned_ranges.hpp>
#include <statiq/train/linear_training.hpp>
#include <statiq/train/own_parameters.hpp>
#include <statiq/train/rounded_batch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace statiq::detail {

/// Training's way forward and back over a batch on numbers chosen for a deployed network, layer by layer. Forward,
/// every layer computes what the simulated network computes, bit for bit, wherever batch norms are folded by moving
/// statistics.
/// @tparam Scheme how accumulators become outputs. @tparam List the operations that nodes may have
template <class Scheme, class List>
class quantized_batch_training : public rounded_batch {
  public:
    /// @param origin of each node, the deployed node whose value it computes
    /// @param folded of each deployed node. @param trained the trained network's nodes
    quantized_batch_training(const planned_graph& of, std::span<const int> origin, std::span<const folded_from> folded,
                             std::span<const node> trained, std::size_t batch, bool passes_saturated,
                             bool by_batch_statistics, const executor_view& threads)
        : rounded_batch(of, origin, batch, passes_saturated, threads), work_(of.nodes.size()),
          rooms_(threads.concurrency()) {
        std::size_t widest = 0;
        for (std::size_t i = 0; i < of.nodes.size(); ++i) {
            const node& n = of.nodes[i];
            widest = (std::max)({widest, n.in.size(), n.out.size()});
            if (n.has_own_parameters()) {
                work_[i].source = {{}, folded[deployed_node(i)], trained};
                work_[i].own.emplace(n);
            }
            if (!n.is_linear()) continue;
            work_[i].source = {n.convolution(), folded[deployed_node(i)], trained};
            work_[i].quantized.emplace(n, of.steps[i].gives[0]);
            work_[i].gradient.weight.resize(n.convolution().weight_count());
            work_[i].gradient.bias.resize(static_cast<std::size_t>(n.out.channels));
            if (!by_batch_statistics || work_[i].source.from.norm < 0) continue;
            node unbiased = n;
            unbiased.has_bias = false;
            work_[i].plain.emplace(unbiased, of.steps[i].gives[0]);
            work_[i].plain_gradient.weight = work_[i].gradient.weight;
            work_[i].norm.emplace(n, trained[work_[i].source.norm()].epsilon);
        }
        for (auto& room : rooms_) room.reserve(widest);
    }

    void forward(const float* input, std::size_t samples, std::span<layer_parameters> parameters,
                 learned_ranges& ranges, const quantized_manner& how) {
        tensors_.begin(input, samples);
        how_ = how;
        for (std::size_t i = 0; i < nodes().size(); ++i) {
            const node& n = nodes()[i];
            if (n.is_source())
                enter(i, ranges);
            else if (n.traits().moves_no_data)
                pass_on(i, ranges);
            else if (n.is_linear())
                compute_linear(i, parameters, ranges);
            else
                compute(i, parameters, ranges);
        }
    }

    /// @param gradients of the trained network's parameters, all of which are written
    void backward(std::span<const output_gradient> outputs, std::span<const layer_parameters> parameters,
                  std::span<layer_parameters> gradients) {
        tensors_.seed(outputs);
        for (std::size_t i = nodes().size(); i-- > 0;)
            if (tensors_.graph().steps[i].differentiated && tensors_.is_home(i)) step_back(i, parameters, gradients);
    }

  private:
    struct layer_work {
        folded_source source{};
        std::optional<linear_training> quantized;
        std::optional<linear_training> plain; ///< of the unquantized weights, for a batch's statistics
        std::optional<folded_norm_training> norm;
        std::optional<own_parameters_training> own;
        layer_parameters gradient; ///< of the folded layer
        layer_parameters plain_gradient;
    };

    [[nodiscard]] float* sums_note(std::size_t i, std::size_t which) const noexcept {
        const node& n = nodes()[i];
        const std::size_t first = quantized_notes::mask_bytes(n) + which * aligned(quantized_notes::sums_bytes(n));
        return tensors_.note(i) + first / sizeof(float) * tensors_.batch();
    }

    void compute_linear(std::size_t i, std::span<layer_parameters> parameters, learned_ranges& ranges) {
        const node& n = nodes()[i];
        layer_work& work = work_[i];
        const bool by_batch = work.plain && how_.folding != norm_folding::frozen;
        float* sums = tensors_.value(i);
        if (by_batch)
            sum_by_batch(i, parameters, sums);
        else
            sum(i, folded_parameters(work.source, parameters), rounds(n), sums);
        learn_range(i, sums, ranges);
        note_mask(i, sums);
        const std::size_t size = n.out.size();
        if (!rounds(n)) {
            clamp(n, sums);
        } else if (by_batch || how_.rounding != training_rounding::deployed) {
            for_samples([&](std::size_t, std::size_t s) { round(i, sums + s * size, s, sums + s * size); });
        } else {
            const auto input = static_cast<std::size_t>(n.input());
            const auto rounding = prepare_sums<Scheme>(n, nodes()[input].numbers.activation, layers_[i],
                                                       layers_[input].output.scale, layers_[i].output.scale);
            const std::pair<std::int32_t, std::int32_t> bounds = bounds_of(i);
            for_samples([&](std::size_t, std::size_t s) {
                round_sums<Scheme>(sums + s * size, n.out.pixels(), static_cast<std::size_t>(n.out.channels),
                                   rounding.steps.data(), rounding.factors.data(), layers_[i].output, bounds.first,
                                   bounds.second);
            });
        }
    }

    /// The node as it is when only its weights are integers.
    [[nodiscard]] static node with_real_sums(node n) {
        n.numbers.activation = float32::format;
        return n;
    }

    /// Quantizes a layer's weights and packs the reals that they stand for.
    /// @param integer_sums whether biases are integers too
    void quantize(std::size_t i, const layer_parameters& reals, bool integer_sums) {
        const node& n = nodes()[i];
        if (n.numbers.weight.floating) {
            work_[i].quantized->pack(threads(), reals);
            return;
        }
        const node as = integer_sums ? n : with_real_sums(n);
        if (integer_sums)
            quantize_layer(nodes(), i, reals, layers_);
        else
            quantize_weights(as, reals, layers_[i]);
        if (how_.rounding != training_rounding::deployed) round_weights(i, reals);
        const float input_scale = layers_[static_cast<std::size_t>(n.input())].output.scale;
        work_[i].quantized->pack(threads(), dequantized_layer(as, layers_[i], input_scale));
    }

    /// Weights rounded by another rule, on the maps they have.
    void round_weights(std::size_t i, const layer_parameters& reals) {
        const node& n = nodes()[i];
        const convolution_shape shape = n.convolution();
        const weight_maps map_of(shape, n.numbers.weight);
        with_rounding_rule(how_.rounding, draws_of(how_.seed, how_.step, 2 * i, 0), [&](auto rule) {
            for_each_weight(shape, [&](const weight_place& w) {
                layers_[i].weight[w.index] =
                    statiq::quantize(reals.weight[w.index], layers_[i].weight_map[map_of(w)], n.numbers.weight, rule);
            });
        });
    }

    void sum(std::size_t i, const layer_parameters& reals, bool integer_sums, float* sums) {
        quantize(i, reals, integer_sums);
        work_[i].quantized->forward(threads(), tensors_.input_of(nodes()[i], 0), tensors_.samples(), real_clamp{},
                                    sums);
    }

    void sum_by_batch(std::size_t i, std::span<layer_parameters> parameters, float* sums) {
        const node& n = nodes()[i];
        layer_work& work = work_[i];
        const std::size_t samples = tensors_.samples();
        layer_parameters& norm = parameters[work.source.norm()];
        layer_parameters weights;
        weights.weight = unfolded_weights(work.source, parameters);
        float* z = sums_note(i, 0);
        work.plain->pack(threads(), weights);
        work.plain->forward(threads(), tensors_.input_of(n, 0), samples, real_clamp{}, z);
        work.norm->find_statistics(threads(), z, samples, how_.folding, norm);
        for_each_weight(work.source.shape, [&](const weight_place& w) {
            float& weight = weights.weight[w.index];
            weight = static_cast<float>(work.norm->weight_scale()[w.channel()] * static_cast<double>(weight));
        });
        weights.bias.assign(static_cast<std::size_t>(n.out.channels), 0.0F);
        float* u = sums_note(i, 1);
        sum(i, weights, false, u);
        work.norm->finish(threads(), u, samples, sums);
        if (how_.learns_statistics)
            work.norm->learn(how_.statistics,
                             work.source.from.linear < 0 ? std::vector<float>{} : parameters[work.source.linear()].bias,
                             norm);
    }

    /// A layer that is neither linear nor a batch norm: its integers, made of its own parameters as they are now.
    void compute(std::size_t i, std::span<const layer_parameters> parameters, learned_ranges& ranges) {
        const node& n = nodes()[i];
        float* values = tensors_.value(i);
        node plain = n;
        plain.clamp = {};
        const layer_parameters* reals = work_[i].own ? &parameters[work_[i].source.linear()] : nullptr;
        if (reals != nullptr) work_[i].own->take(*reals);
        tensors_.compute(plain, own_values(i), values);
        learn_range(i, values, ranges);
        note_mask(i, values);
        if (!rounds(n)) {
            clamp(n, values);
            return;
        }
        const std::size_t size = n.out.size();
        const bool from_reals = nodes()[static_cast<std::size_t>(n.input())].numbers.activation.floating;
        if (n.traits().converts && from_reals) {
            for_samples([&](std::size_t, std::size_t s) { round(i, values + s * size, s, values + s * size); });
            return;
        }
        node_constants<Scheme> constants;
        constants.output = layers_[i].output;
        set_clamp(n, layers_[i].output, constants.lowest, constants.highest);
        const auto scale_of = [this](std::size_t k) { return layers_[k].output.scale; };
        set_factors_of<List>(nodes(), n, scale_of, layers_[i].output.scale, constants);
        const auto table = table_of<List, Scheme>(
            nodes(), n, [this](std::size_t k) -> const affine& { return layers_[k].output; }, layers_[i].output, reals);
        for_samples([&](std::size_t share, std::size_t s) {
            rooms_[share].template run<List, Scheme>(
                nodes().data(), n, [this](std::size_t k) -> const affine& { return layers_[k].output; }, constants,
                table.data(), tensors_.inputs_of(n, s), layers_[i].output, values + s * size);
        });
    }

    void step_back(std::size_t i, std::span<const layer_parameters> parameters, std::span<layer_parameters> gradients) {
        const node& n = nodes()[i];
        mask_gradients(i);
        if (!n.is_linear()) {
            node through = n; // the mask has the activation in it
            if (n.traits().clamps) through.facts = &facts_of<operations::convert>;
            if (work_[i].own) tensors_.give_to_parameters(i, *work_[i].own, gradients[work_[i].source.linear()]);
            tensors_.give(i, through, own_values(i));
        } else if (work_[i].plain && how_.folding != norm_folding::frozen) {
            back_by_batch(i, parameters, gradients);
        } else {
            back(i, parameters, gradients);
        }
    }

    [[nodiscard]] const float* own_values(std::size_t i) const noexcept {
        return work_[i].own ? work_[i].own->values() : nullptr;
    }

    void back(std::size_t i, std::span<const layer_parameters> parameters, std::span<layer_parameters> gradients) {
        const node& n = nodes()[i];
        layer_work& work = work_[i];
        const float* given = tensors_.gradient(i);
        const std::size_t samples = tensors_.samples();
        work.quantized->parameter_gradients(threads(), tensors_.input_of(n, 0), given, samples, work.gradient);
        if (tensors_.graph().steps[i].gives[0])
            work.quantized->input_gradient(threads(), given, samples, tensors_.sink(i, 0));
        unfold_gradients(work.source, work.gradient, how_.gradients_pass_folding, parameters, gradients);
    }

    void back_by_batch(std::size_t i, std::span<const layer_parameters> parameters,
                       std::span<layer_parameters> gradients) {
        const node& n = nodes()[i];
        layer_work& work = work_[i];
        const std::size_t samples = tensors_.samples();
        const float* x = tensors_.input_of(n, 0);
        float* given = tensors_.gradient(i);
        float* z = sums_note(i, 0);
        const bool gives = tensors_.graph().steps[i].gives[0];
        work.norm->begin_back(threads(), sums_note(i, 1), samples, given);
        work.quantized->parameter_gradients(threads(), x, given, samples, work.gradient);
        if (gives) work.quantized->input_gradient(threads(), given, samples, tensors_.sink(i, 0));
        const std::size_t norm = work.source.norm();
        work.norm->parameter_gradients(threads(), products_with(work.source, work.gradient.weight, parameters),
                                       parameters[norm], gradients[norm], samples, z);
        if (gives) {
            gradient_sink sink = tensors_.sink(i, 0);
            sink.adds = true;
            work.plain->input_gradient(threads(), z, samples, sink);
        }
        if (work.source.from.linear < 0) return;
        work.plain->parameter_gradients(threads(), x, z, samples, work.plain_gradient);
        layer_parameters& linear = gradients[work.source.linear()];
        for_each_weight(work.source.shape, [&](const weight_place& w) {
            linear.weight[w.index] = static_cast<float>(work.norm->weight_scale()[w.channel()] *
                                                            static_cast<double>(work.gradient.weight[w.index]) +
                                                        static_cast<double>(work.plain_gradient.weight[w.index]));
        });
        // A bias before a batch norm moves nothing.
        std::fill(linear.bias.begin(), linear.bias.end(), 0.0F);
    }

    std::vector<layer_work> work_;
    std::vector<integers_between_reals> rooms_;
};

} // namespace statiq::detail
