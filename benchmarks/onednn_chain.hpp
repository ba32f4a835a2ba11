// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/passes/quantize_parameters.hpp>

#include <memory>
#include <span>
#include <vector>

namespace benchmarks {

/// The peer: a deployed statiq graph as a chain of oneDNN primitives, set up as oneDNN is fastest on its own terms.
/// Every layout is its choice, weights are reordered once, ReLU is a post-op, a residual sum is one too where the graph
/// allows, activations share few buffers. Integers: unsigned bytes without zero points, signed bytes with a scale per
/// output channel, int32 biases.
class onednn_chain {
  public:
    /// Builds the chain for a number of threads.
    /// @throws std::runtime_error naming the node that has no counterpart here, and on zero points other than 0
    onednn_chain(std::span<const statiq::node> nodes, std::span<const statiq::quantized_layer> integers, int threads);
    onednn_chain(std::span<const statiq::node> nodes, std::span<const statiq::layer_parameters> reals, int threads);
    onednn_chain(onednn_chain&&) noexcept;
    onednn_chain& operator=(onednn_chain&&) noexcept;
    onednn_chain(const onednn_chain&) = delete;
    onednn_chain& operator=(const onednn_chain&) = delete;
    ~onednn_chain();

    /// Copies one sample, HWC, of the chain's numbers, to where the first primitive wants it.
    void set_input(const void* sample);
    void run();
    /// The last output, HWC; integers as their values.
    [[nodiscard]] std::vector<float> output() const;

    /// Whether the instruction set that oneDNN runs on sums two products of bytes in 16 bits, where large ones
    /// saturate: its outputs are then not what integers give. So it is without VNNI.
    [[nodiscard]] static bool saturates();
    /// Processors that oneDNN's threads may use.
    [[nodiscard]] static int processors();

  private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace benchmarks
