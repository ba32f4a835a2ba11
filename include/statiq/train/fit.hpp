// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/train/batches.hpp>
#include <statiq/train/checkpoint.hpp>
#include <statiq/train/losses.hpp>
#include <statiq/train/optimizer.hpp>
#include <statiq/train/penalties.hpp>
#include <statiq/train/schedules.hpp>
#include <statiq/train/trainable.hpp>
#include <statiq/train/weight_average.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace statiq {

/// One sample's loss against its label; the gradient becomes `weight` times the loss's (losses.hpp has some).
using sample_loss =
    std::function<double(std::span<const float> outputs, std::int32_t label, double weight, std::span<float> gradient)>;

/// How a network is fitted.
struct fit_rules {
    sample_loss loss = softmax_cross_entropy{};
    update_rule update = sgd{};
    schedule rate = constant_rate{0.01};
    std::vector<penalty> penalties{};
    std::optional<double> average_decay{}; ///< keep an average of the weights, which forgets by this a step
};

/// What one step saw, before it changed anything.
struct fit_step {
    double loss = 0;    ///< the batch's mean, without penalties
    double penalty = 0; ///< all of them
    std::size_t right = 0;
    std::size_t samples = 0;
};

/// A loss that is not a finite number. Nothing that gradients move has moved in the step, but the moving statistics may
/// have taken in what is not finite: go back to a checkpoint.
class training_diverged : public std::runtime_error {
  public:
    training_diverged(std::uint64_t step, double loss, const std::string& where)
        : std::runtime_error(message(step, loss, where)) {}

  private:
    static std::string message(std::uint64_t step, double loss, const std::string& where) {
        std::string text = "step ";
        text += std::to_string(step + 1);
        text += ": the loss is ";
        text += std::to_string(loss);
        text += where.empty() ? ", of finite outputs" : "; the first values that are not finite are those of ";
        return text + where;
    }
};

/// A network that can be fitted: beside its trainables, a batch's way forward and back. `forward(samples)` gives the
/// outputs [sample][output], `backward(gradient)` turns their gradient into the trainables', and
/// `first_not_finite(samples)` finds the first node whose values are not all finite.
template <class T>
concept fittable_network = trainable_network<T> && requires(T& network, std::span<const float> values) {
    { network.forward(values) } -> std::convertible_to<std::span<const float>>;
    network.backward(values);
    { network.first_not_finite(values) } -> std::convertible_to<std::optional<std::size_t>>;
};

/// A network, its batches and everything between them that a checkpoint must hold.
template <fittable_network Network>
class fitting {
  public:
    /// @param nodes the network's. All that is referred to must outlive this.
    /// @throws std::invalid_argument when the images are not as large as the network's input
    fitting(std::span<const node> nodes, Network& network, batches& from, fit_rules rules)
        : nodes_(nodes), network_(&network), batches_(&from), rules_(std::move(rules)),
          trainables_(network.trainables()), states_(network.states()), optimizer_(rules_.update, trainables_),
          samples_(from.batch_size() * nodes.front().out.size()), labels_(from.batch_size()),
          gradient_(from.batch_size() * nodes.back().out.size()) {
        detail::expect_count("values of an image", nodes.front().out.size(), from.image_extents().size());
        if (rules_.average_decay) average_.emplace(*rules_.average_decay, trainables_);
    }

    /// One batch forward and back, and one step of the optimizer.
    /// @throws training_diverged when the loss is not finite
    fit_step step() {
        batches_->next(samples_, labels_);
        const std::span<const float> outputs = network_->forward(samples_);
        fit_step seen{.samples = labels_.size()};
        const std::size_t size = nodes_.back().out.size();
        const double weight = 1 / static_cast<double>(labels_.size());
        for (std::size_t s = 0; s < labels_.size(); ++s) {
            const auto scores = outputs.subspan(s * size, size);
            seen.loss += weight * rules_.loss(scores, labels_[s], weight, std::span(gradient_).subspan(s * size, size));
            if (std::ranges::max_element(scores) - scores.begin() == labels_[s]) ++seen.right;
        }
        if (!std::isfinite(seen.loss)) throw training_diverged(optimizer_.steps(), seen.loss, first_not_finite());
        network_->backward(gradient_);
        for (const penalty& each : rules_.penalties) seen.penalty += each(trainables_, states_);
        optimizer_.step(trainables_, rules_.rate(optimizer_.steps()));
        if (average_) average_->add(trainables_);
        return seen;
    }

    [[nodiscard]] std::uint64_t steps() { return optimizer_.steps(); }
    [[nodiscard]] double rate() { return rules_.rate(optimizer_.steps()); }
    /// Puts the averaged weights in the network, and at the next call those that are trained. Nothing without average.
    void exchange_average() {
        if (average_) average_->exchange(trainables_);
    }

    /// @throws io::format_error when something is not finite or the file cannot be written
    void save(const std::filesystem::path& path, const io::safetensors_metadata& settings) {
        batches::position position = batches_->at();
        save_checkpoint(path, entries(position), settings);
    }
    /// Continues where a checkpoint of the same rules, batches and network stands, with the same bits.
    /// @throws io::format_error when it is of another training; nothing has changed then
    void resume(const std::filesystem::path& path, const io::safetensors_metadata& settings) {
        resume(io::read_safetensors(path), settings);
    }
    void resume(const io::safetensors& file, const io::safetensors_metadata& settings) {
        batches::position position{};
        read_checkpoint(file, entries(position), settings);
        batches_->resume(position);
    }

  private:
    std::vector<checkpoint_entry> entries(batches::position& position) {
        std::vector<checkpoint_entry> all = network_entries(nodes_, *network_);
        const auto append = [&](std::vector<checkpoint_entry> more) {
            all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
        };
        append(optimizer_entries(optimizer_, trainables_));
        if (average_) append(average_entries(*average_, trainables_));
        all.push_back({.name = "batches",
                       .shape = {static_cast<std::int64_t>(position.size())},
                       .values = std::span(position),
                       .check = [this](const io::tensor_view& stored) {
                           batches::position at{};
                           std::ranges::copy(stored.values<std::uint64_t>(), at.begin());
                           if (const std::string fault = batches_->fault_of(at); !fault.empty())
                               throw io::format_error(stored.file, stored.name, "where these batches may stand", fault);
                       }});
        return all;
    }

    std::string first_not_finite() {
        const std::optional<std::size_t> index = network_->first_not_finite(samples_);
        if (!index) return {};
        return std::string("layer ").append(io::detail::printable(nodes_[*index].name.view()));
    }

    std::span<const node> nodes_;
    Network* network_;
    batches* batches_;
    fit_rules rules_;
    std::vector<trainable> trainables_;
    std::vector<training_state> states_;
    optimizer optimizer_;
    std::optional<weight_average> average_{};
    std::vector<float> samples_;
    std::vector<std::int32_t> labels_;
    std::vector<float> gradient_;
};

} // namespace statiq
