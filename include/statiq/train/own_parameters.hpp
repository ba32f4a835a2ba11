// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/lacking.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/train/executor_view.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace statiq::detail {

constexpr bool lacks_parameter_gradient(const node& n) {
    return learns_own_parameters(n) && !n.facts->has_parameter_gradient;
}
template <graph_type G>
using parameter_gradient_verdict =
    decltype(lacking_verdict<G, definition_of_parameter_gradient, lacks_parameter_gradient>());

/// An operation's own parameters in training: all tensors one behind the other, as its definitions read them, and the
/// sum of their gradients over a batch. Bits do not depend on the number of threads.
class own_parameters_training {
  public:
    explicit own_parameters_training(const node& n) : node_(n), values_(parameter_count(n)) {}

    /// Takes the parameters that the next way forward and back will use.
    void take(const layer_parameters& from) { copy_parameters(node_, from, values_.data()); }
    [[nodiscard]] const float* values() const noexcept { return values_.data(); }

    /// Writes the gradients of all tensors.
    /// @param add add(sample, to) adds a sample's to `to`, laid out as `values`
    template <class Add>
    void gradients(const executor_view& threads, std::size_t samples, layer_parameters& gradient, Add&& add) {
        const std::size_t count = values_.size();
        const std::size_t parts = (std::min)(samples, most_parts);
        sums_.assign(parts * count, 0.0F);
        threads.run(parts, [&](std::size_t part) {
            for (std::size_t s = samples * part / parts; s < samples * (part + 1) / parts; ++s)
                add(s, sums_.data() + part * count);
        });
        for (std::size_t part = 1; part < parts; ++part)
            for (std::size_t i = 0; i < count; ++i) sums_[i] += sums_[part * count + i];
        const float* from = sums_.data();
        for_each_tensor(node_, gradient, [&from](const char*, std::vector<float>& to, std::size_t size) {
            std::copy_n(from, size, to.begin());
            from += size;
        });
    }

  private:
    /// Samples are summed in parts that threads share out: as many for any number of threads.
    static constexpr std::size_t most_parts = 16;

    node node_;
    std::vector<float> values_;
    std::vector<float> sums_; ///< [part][parameter]
};

} // namespace statiq::detail
