// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/analyze/branches.hpp>
#include <statiq/graph/network_data.hpp>
#include <statiq/io/images.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/threads/thread_pool.hpp>
#include <statiq/train/quantized_training_network.hpp>
#include <statiq/train/random.hpp>
#include <statiq/train/trainable.hpp>

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace train {

namespace sq = statiq;

/// A network in training whose type is left behind: all that is not one network's own is compiled once.
class trainee {
  public:
    trainee() = default;
    trainee(const trainee&) = delete;
    trainee& operator=(const trainee&) = delete;
    virtual ~trainee() = default;

    [[nodiscard]] virtual std::span<const sq::node> nodes() const = 0;
    virtual std::vector<sq::trainable> trainables() = 0;
    virtual std::vector<sq::training_state> states() = 0;
    virtual std::vector<sq::training_counter> counters() = 0;
    virtual std::span<const float> forward(std::span<const float> samples) = 0;
    virtual std::span<const float> evaluate(std::span<const float> samples) = 0;
    virtual void backward(std::span<const float> gradient) = 0;
    virtual std::optional<std::size_t> first_not_finite(std::span<const float> samples) = 0;

    /// What inference runs: batch norm folded, activations fused.
    [[nodiscard]] virtual sq::network_data deployed() const = 0;
    /// The learned ranges of what is deployed; none of a float network.
    [[nodiscard]] virtual std::vector<sq::range> ranges() const { return {}; }
    /// What the batch norms of merged branches multiply by.
    [[nodiscard]] virtual std::vector<sq::branch_scale> branch_scales() const = 0;
};

/// The numbers a network is trained in, and how.
struct fake_quantization {
    int weight_bits = 8;
    int activation_bits = 8;
    std::string scheme{}; ///< symmetric_channel or asymmetric_tensor
    bool masked = true;   ///< gradients stop where activations saturate
    sq::quantized_training_rule rule{};
};

/// How a network begins.
struct beginning {
    std::filesystem::path from{}; ///< a file of weights; empty: random ones
    std::uint64_t seed = 1;
    std::size_t batch = 1;
    sq::thread_pool* threads = nullptr;
    std::optional<fake_quantization> quantized{};
};

/// The outputs of a network's 8-bit integers, dequantized: [image][output].
/// @param scheme symmetric_channel or asymmetric_tensor; for others nothing is compiled, and nothing comes back
using integer_run = std::vector<float>(const sq::network_data& deployed, const std::string& scheme,
                                       std::span<const sq::range> ranges, const sq::io::image_set& images,
                                       std::size_t count);

/// A network that can be trained.
struct network_entry {
    std::string pixels; ///< the preprocessing, in words
    sq::io::preprocessing how{};
    bool custom_l2 = false; ///< RepVGG's own penalty instead of decay of the blocks' kernels, unless told
    std::unique_ptr<trainee> (*make)(const beginning&) = nullptr;
    integer_run* run_integers = nullptr;
    std::unique_ptr<trainee> (*make_quantized)(const beginning&) = nullptr; ///< null: not compiled for it
};

/// All of them, by the names of --network.
const std::map<std::string, network_entry>& networks();

// What an entry is made of. Each network's are instantiated in files of its own, so that they compile side by side.

/// A network in float training.
template <class Net>
std::unique_ptr<trainee> make_trainee(const beginning& with);

/// A network in quantized training.
/// @throws std::invalid_argument when nothing is compiled for these numbers
template <class Net>
std::unique_ptr<trainee> make_quantized_trainee(const beginning& with);

/// An `integer_run`.
template <class Net>
std::vector<float> run_integers(const sq::network_data& deployed, const std::string& scheme,
                                std::span<const sq::range> ranges, const sq::io::image_set& images, std::size_t count);

} // namespace train
