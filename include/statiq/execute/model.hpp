// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/executor.hpp>
#include <statiq/execute/integer_network.hpp>
#include <statiq/execute/prepare.hpp>
#include <statiq/kernels/convert.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/quantize_parameters.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace statiq {

/// An integer network with the memory it needs: parameters and arena are taken once, at construction. For programs
/// without a heap, use `integer_network` on memory of your own.
template <graph_type Q, class Scheme = float_multiplier>
class model {
  public:
    using graph = Q;
    using network_type = integer_network<Q, Scheme>;
    using parameters_type = integer_parameters<Q, Scheme>;

    explicit model(std::unique_ptr<parameters_type> from)
        : parameters_(std::move(from)), arena_(std::make_unique<arena>()),
          network_(*parameters_, arena_->bytes.data()) {}

    /// Integers in, integers out: see `integer_network::run`.
    [[nodiscard]] const network_type& network() const noexcept { return network_; }
    /// What `parameters_from_bytes` reads: store it, embed it, send it.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
        return std::as_bytes(std::span<const parameters_type, 1>(parameters_.get(), 1));
    }

    /// Reals in, reals out: quantizes one sample, runs, dequantizes. The result is the caller's.
    /// @param threads see `integer_network::run`
    template <executor Executor>
    std::array<float, network_type::output_size> operator()(Executor&& threads, std::span<const float> sample) {
        using in = typename network_type::input_type;
        const in* input = nullptr;
        if constexpr (std::is_same_v<in, float>) {
            input = sample.data();
        } else {
            kernels::quantize(kernels::reference::quantize_arguments<in>{.input = sample.data(),
                                                                         .size = network_type::input_size,
                                                                         .numbers = network_.input_map(),
                                                                         .format = Q::nodes[0].numbers.activation,
                                                                         .output = arena_->input.data()});
            input = arena_->input.data();
        }
        const auto stored = network_.run(threads, input);
        std::array<float, network_type::output_size> reals;
        to_reals(stored, network_.output_map(), reals);
        return reals;
    }
    std::array<float, network_type::output_size> operator()(std::span<const float> sample) {
        return (*this)(sequential{}, sample);
    }

    /// Dequantizes an output that `outputs<...>` names, as the last call has left it, into the caller's memory: as many
    /// reals as `output_index`'s node has.
    template <label Name>
    void output(std::span<float, Q::nodes[output_index<Q, Name>].out.size()> reals) const noexcept {
        to_reals(network_.template output<Name>(), network_.map_of(output_index<Q, Name>), reals);
    }

  private:
    template <class Stored, std::size_t Size>
    static void to_reals(std::span<const Stored, Size> stored, const affine& map, std::span<float> reals) noexcept {
        if constexpr (std::is_same_v<Stored, float>)
            std::copy(stored.begin(), stored.end(), reals.begin());
        else
            kernels::dequantize(kernels::reference::dequantize_arguments<Stored>{
                .input = stored.data(), .size = stored.size(), .numbers = map, .output = reals.data()});
    }

    struct alignas(arena_alignment) arena {
        std::array<std::uint8_t, network_type::arena_size> bytes;
        std::array<typename network_type::input_type, network_type::input_size> input;
    };

    std::unique_ptr<parameters_type> parameters_;
    std::unique_ptr<arena> arena_;
    network_type network_;
};

/// Packs integers, wherever they come from, into a model.
/// @tparam Scheme how accumulators become outputs; `gemmlowp` gives TensorFlow Lite's bits.
template <class Scheme = gemmlowp, graph_type Q>
auto integer_model(const quantized_parameters<Q>& integers) {
    auto packed = std::make_unique<integer_parameters<Q, Scheme>>();
    prepare(integers, *packed);
    return model<Q, Scheme>(std::move(packed));
}

/// Quantizes a deployed network's parameters and packs them: the integer model.
/// @tparam Weight, Activation the number types of layers that `with<...>` gave none. @tparam Scheme how accumulators
/// become outputs. @param ranges what every node's output spans, as `calibrate` finds it.
template <number_type Weight, number_type Activation, requantization_scheme Scheme = float_multiplier, graph_type G>
auto quantize(const parameters<G>& deployed_parameters, const node_ranges<G>& ranges) {
    using numbers = numbers_chosen<G, Weight, Activation>;
    return integer_model<Scheme>(quantize_parameters<numbers>(deployed_parameters, ranges));
}

/// The same, with single layers in numbers of their own: `quantize<weight, activation, for_layer<"dw1", weight16>>`.
template <number_type Weight, number_type Activation, number_override First, number_override... Rest, graph_type G>
auto quantize(const parameters<G>& deployed_parameters, const node_ranges<G>& ranges) {
    using numbers = numbers_chosen<G, Weight, Activation, Weight, First, Rest...>;
    return integer_model<float_multiplier>(quantize_parameters<numbers>(deployed_parameters, ranges));
}

/// Reads parameters in place from bytes: from memory, a file's contents or an embedded blob, aligned to 64 bytes.
/// @return null when the bytes are too few, misaligned, or made for another network, other numbers or another scheme.
template <graph_type Q, class Scheme = float_multiplier>
[[nodiscard]] const integer_parameters<Q, Scheme>* parameters_from_bytes(std::span<const std::byte> bytes) noexcept {
    using stored = integer_parameters<Q, Scheme>;
    static_assert(std::is_trivially_copyable_v<stored> && std::is_standard_layout_v<stored>);
    if (bytes.size() < sizeof(stored) || reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(stored) != 0)
        return nullptr;
    const auto* parameters = reinterpret_cast<const stored*>(bytes.data());
    if (parameters->fingerprint != stored::expected_fingerprint || parameters->size != sizeof(stored)) return nullptr;
    return parameters;
}

} // namespace statiq
