// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/integer_network.hpp>
#include <statiq/execute/prepare.hpp>
#include <statiq/kernels/convert.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/quantize_options.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/tensor/aligned_vector.hpp>
#include <statiq/tensor/exact_span.hpp>
#include <statiq/threads/executor.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace statiq {

namespace detail {
inline constexpr char model_sample[] = "model: values of the sample";
inline constexpr char model_bytes[] = "model: bytes of the image";
inline constexpr char model_output[] = "model: values of the output";
} // namespace detail

/// An integer network with the memory it needs: parameters and an arena for one thread are taken at construction, an
/// arena for more by `reserve` or the first call that brings them. For one caller at a time; others share its
/// parameters and have a network and an arena of their own (docs/threads.md). For programs without a heap, use
/// `integer_network` on memory of your own.
template <graph_type Q, requantization_scheme Scheme = default_scheme>
class model {
  public:
    using graph = Q;
    using network_type = integer_network<Q, Scheme>;
    using parameters_type = integer_parameters<Q, Scheme>;
    /// One sample of reals in HWC order.
    using sample_span = exact_span<const float, network_type::input_size, detail::model_sample>;
    /// The bytes of one image in HWC order.
    using byte_span = exact_span<const std::uint8_t, network_type::input_size, detail::model_bytes>;

    /// @param from refused (`refused`) where it is null
    explicit model(std::unique_ptr<parameters_type> from)
        : parameters_(not_null(std::move(from))), arena_(network_type::arena_size), network_(*parameters_, arena_) {}

    /// Takes an arena for so many threads, if it has none: no more than that run `network()`. What the last run has
    /// computed is lost then.
    void reserve(std::size_t threads) {
        if (threads <= network_.threads()) return;
        arena_.resize(network_type::arena_size_for(threads));
        network_ = network_type(*parameters_, arena_, threads);
    }

    /// Integers in, integers out: see `integer_network::run`.
    [[nodiscard]] network_type& network() noexcept { return network_; }
    [[nodiscard]] const network_type& network() const noexcept { return network_; }
    /// What it reads and never writes: any number of networks may, at a time.
    [[nodiscard]] const parameters_type& parameters() const noexcept { return *parameters_; }
    /// What `parameters_from_bytes` reads: store it, embed it, send it.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
        return std::as_bytes(std::span<const parameters_type, 1>(parameters_.get(), 1));
    }

    /// Reals in, reals out: quantizes one sample, runs, dequantizes. The result is the caller's.
    /// @param threads see `integer_network::run`; all of them run it
    template <executor Executor>
    std::array<float, network_type::output_size> operator()(Executor&& threads, sample_span sample) {
        using in = typename network_type::input_type;
        reserve(threads.concurrency());
        std::array<float, network_type::output_size> reals;
        if constexpr (std::is_same_v<in, float>) {
            to_reals(network_.run(threads, std::span<const float, network_type::input_size>(sample)),
                     network_.output_map(), reals);
        } else {
            kernels::quantize(kernels::reference::quantize_arguments<in>{.input = sample.data(),
                                                                         .size = network_type::input_size,
                                                                         .numbers = network_.input_map(),
                                                                         .format = Q::nodes[0].numbers.activation,
                                                                         .output = input_->data()});
            to_reals(network_.run(threads, *input_), network_.output_map(), reals);
        }
        return reals;
    }
    std::array<float, network_type::output_size> operator()(sample_span sample) {
        return (*this)(sequential{}, sample);
    }

    /// The bytes of an image in, reals out: nothing is quantized, the bytes are the input's integers. For models of
    /// `quantize<..., byte_image<...>>` alone. (The reals that such a model's other calls take are bytes less the zero
    /// point.) `network().run(image)` gives the output as integers.
    template <executor Executor>
    std::array<float, network_type::output_size> operator()(Executor&& threads, byte_span image) {
        constexpr bool takes_bytes = Q::nodes[0].facts->fixed_output != nullptr;
        static_assert(takes_bytes, "statiq: this model takes reals; quantize<..., byte_image<channel_means<...>, "
                                   "channel_deviations<...>>> makes one that takes bytes");
        std::array<float, network_type::output_size> reals{};
        if constexpr (takes_bytes) {
            reserve(threads.concurrency());
            to_reals(network_.run(threads, std::span<const std::uint8_t, network_type::input_size>(image)),
                     network_.output_map(), reals);
        }
        return reals;
    }
    std::array<float, network_type::output_size> operator()(byte_span image) { return (*this)(sequential{}, image); }

    /// Dequantizes an output that `outputs<...>` names, as the last call has left it, into the caller's memory: as many
    /// reals as `output_index`'s node has.
    template <label Name>
    void
    output(exact_span<float, Q::nodes[output_index<Q, Name>].out.size(), detail::model_output> reals) const noexcept {
        to_reals(network_.template output<Name>(), network_.map_of(output_index<Q, Name>),
                 std::span<float, reals.size()>(reals));
    }

  private:
    static std::unique_ptr<parameters_type> not_null(std::unique_ptr<parameters_type> from) noexcept {
        detail::require_count("model: parameters", 1, from == nullptr ? 0 : 1);
        return from;
    }
    template <class Stored, std::size_t Size>
    static void to_reals(std::span<const Stored, Size> stored, const affine& map, std::span<float> reals) noexcept {
        if constexpr (std::is_same_v<Stored, float>)
            std::copy(stored.begin(), stored.end(), reals.begin());
        else
            kernels::dequantize(kernels::reference::dequantize_arguments<Stored>{
                .input = stored.data(), .size = stored.size(), .numbers = map, .output = reals.data()});
    }

    using input_memory = std::array<typename network_type::input_type, network_type::input_size>;

    std::unique_ptr<parameters_type> parameters_;
    std::unique_ptr<input_memory> input_ = std::make_unique<input_memory>();
    aligned_vector<std::uint8_t> arena_;
    network_type network_;
};

/// Packs integers, wherever they come from, into a model.
/// @tparam Scheme how accumulators become outputs; `gemmlowp` gives TensorFlow Lite's bits.
template <requantization_scheme Scheme = default_scheme, graph_type Q>
model<Q, Scheme> integer_model(const quantized_parameters<Q>& integers) {
    auto packed = std::make_unique<integer_parameters<Q, Scheme>>();
    prepare(integers, *packed);
    return model<Q, Scheme>(std::move(packed));
}

namespace detail {
template <class Options, graph_type G, class... Given, graph_type R>
auto quantize_for(const parameters<G>& from, const node_ranges<R>& ranges) {
    using numbers = typename numbers_of_options<G, typename Options::weight, typename Options::activation, std::tuple<>,
                                                Given...>::type;
    return integer_model<typename Options::scheme>(quantize_parameters<numbers>(from, ranges));
}
} // namespace detail

/// Quantizes a deployed network's parameters and packs them: the integer model. What stands in its angle brackets is
/// told apart by what it is, in any order.
/// @tparam Options two number types, first that of weights, then that of activations, for the layers that `with<...>`
/// gave none; a requantization scheme (`default_scheme` where none is given); `for_layer<"dw1", weight16>` for single
/// layers in numbers of their own; `byte_image<...>` for a model that takes the bytes of images.
/// @param ranges what every node's output spans, as `calibrate` finds it.
template <class... Options, graph_type G, graph_type R>
auto quantize(const parameters<G>& deployed_parameters, const node_ranges<R>& ranges) {
    using options = detail::quantize_options<Options...>;
    static_assert(check_option<decltype(options::verdict())>::passed);
    static_assert(check_schemes<decltype(options::scheme_verdict())>::passed);
    static_assert((detail::check_scheme<Options>() && ...));
    static_assert(options::names_both, "statiq: quantize<weight, activation> names the numbers of both");
    using folding = decltype(detail::bytes_verdict<G, typename options::bytes>());
    static_assert(check_bytes<folding>::passed);
    if constexpr (options::accepted && folding::accepted) {
        static_assert(check_ranges<detail::ranges_verdict<R, G>>::passed);
        if constexpr (std::is_void_v<typename options::bytes>)
            return detail::quantize_for<options, G, Options...>(deployed_parameters, ranges);
        else
            return detail::quantize_for<options, input_folded<G, typename options::bytes>, Options...>(
                fold_input<typename options::bytes>(deployed_parameters), fold_input<typename options::bytes>(ranges));
    }
}

} // namespace statiq
