// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/integer_call.hpp>
#include <statiq/execute/integer_parameters.hpp>
#include <statiq/execute/linear_step.hpp>
#include <statiq/execute/real_call.hpp>
#include <statiq/execute/runnable.hpp>
#include <statiq/execute/scratch.hpp>
#include <statiq/execute/stack.hpp>
#include <statiq/execute/stored_parameters.hpp>
#include <statiq/execute/walk.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/kernels/convert.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/plan/arena.hpp>
#include <statiq/plan/facts.hpp>
#include <statiq/plan/memory.hpp>
#include <statiq/threads/executor.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace statiq {

namespace detail {
struct integer_network_words {
    static constexpr char input[] = "integer_network: values of the input";
    static constexpr char runs[] = "integer_network: runs at a time";
};

template <class Network, graph_type Q>
using runnable_integers = runnable<Network, Q, statiq::activation_storage<Q, 0>,
                                   statiq::activation_storage<Q, node_count<Q> - 1>, integer_network_words>;
} // namespace detail

/// The integer execution of a graph whose numbers are chosen. It owns nothing: parameters and arena are the caller's
/// and outlive it. Running allocates nothing, throws nothing, and gives the same bits on every machine; in a constant
/// expression it runs too, for networks all of whose activations are unsigned bytes.
///
/// A run writes the arena, so one network and one arena are for one thread at a time. Parameters are only read: any
/// number of networks, each with an arena of its own, share them (docs/threads.md).
/// @tparam Q `numbers_chosen<deployed<Net>, Weight, Activation>`. @tparam Scheme `gemmlowp`, `single_rounding`,
/// `float_multiplier` or a scheme of the program's own.
template <graph_type Q, requantization_scheme Scheme = default_scheme>
class integer_network : public detail::runnable_integers<integer_network<Q, Scheme>, Q> {
    static constexpr std::size_t scratch_size =
        detail::scratch_of(Q::nodes, (std::max)(lane_bytes_of<Scheme>, kernels::usual_factor_bytes));

  public:
    using parameters_type = integer_parameters<Q, Scheme>;
    using input_type = activation_storage<Q, 0>;
    using output_type = activation_storage<Q, node_count<Q> - 1>;
    static constexpr std::size_t input_size = input_extents<Q>.size();
    static constexpr std::size_t output_size = output_extents<Q>.size();
    /// Bytes of an arena with which one thread runs the network: activations (`arena_bytes<Q>`), then scratch memory
    /// (`scratch_bytes<Q>`, more only for a scheme of the program's own whose factors are larger).
    static constexpr std::size_t arena_size = memory_plan_of<Q>.arena_bytes + scratch_size;
    /// The same for so many threads: each has scratch memory of its own.
    static constexpr std::size_t arena_size_for(std::size_t threads) noexcept {
        return memory_plan_of<Q>.arena_bytes + threads * scratch_size;
    }

    /// @param place at least `arena_size_for(threads)` bytes, aligned to `arena_alignment`; refused where it is not, or
    /// where the parameters lie in it
    /// @param threads at most so many of an executor's run the network, at least 1
    constexpr integer_network(const parameters_type& from, arena_span<arena_size> place,
                              std::size_t threads = 1) noexcept
        : parameters_(&from), arena_(place.data()), threads_(threads) {
        detail::require_at_least("integer_network: bytes of an arena for its threads", arena_size_for(threads),
                                 place.size());
        detail::require_apart("integer_network: bytes of the parameters that lie in the arena", &from, sizeof(from),
                              arena_, arena_size_for(threads_));
    }

    /// Scale and zero point of a node's output; meaningless where it is float.
    [[nodiscard]] constexpr const affine& map_of(std::size_t index) const noexcept {
        return parameters_->constants[index].output;
    }
    [[nodiscard]] constexpr const affine& input_map() const noexcept { return map_of(0); }
    [[nodiscard]] constexpr const affine& output_map() const noexcept { return map_of(node_count<Q> - 1); }
    /// How many threads the arena is for.
    [[nodiscard]] constexpr std::size_t threads() const noexcept { return threads_; }

  private:
    friend detail::runnable_integers<integer_network, Q>;
    static constexpr bool memory_is_given = true;

    template <std::size_t I>
    using stored = activation_storage<Q, I>;
    template <std::size_t I, std::size_t K = 0>
    static constexpr std::size_t input_of = input_index<Q, I, K>;

    /// A node's output: in the arena, or the caller's input itself.
    template <std::size_t I>
    constexpr auto tensor(const input_type* input) const noexcept -> const stored<I>* {
        constexpr allocation where = memory_plan_of<Q>.tensors[I];
        if constexpr (Q::nodes[I].is_source())
            return input;
        else if constexpr (where.alias_of == 0)
            return input;
        else
            return in_arena<I>();
    }
    template <std::size_t I>
    constexpr auto in_arena() const noexcept -> stored<I>* {
        std::uint8_t* start = arena_ + memory_plan_of<Q>.tensors[I].offset;
        if constexpr (std::is_same_v<stored<I>, std::uint8_t>)
            return start;
        else
            return reinterpret_cast<stored<I>*>(start);
    }

    template <class Executor>
    constexpr detail::limited_threads<Executor> begin(Executor& threads, const input_type* input) const noexcept {
        detail::require_apart("integer_network: bytes of the input that lie in the arena", input,
                              input_size * sizeof(input_type), arena_, arena_size_for(threads_));
        return {threads, threads_};
    }

    template <std::size_t I, class Executor>
    constexpr const stored<I>* step(Executor& threads, const input_type* input) const noexcept {
        compute<I>(input, threads);
        return tensor<I>(input);
    }

    template <std::size_t I>
    constexpr const stored<I>* result() const noexcept {
        static_assert(!Q::nodes[I].is_source() && memory_plan_of<Q>.tensors[I].alias_of != 0,
                      "statiq: this output is the network's input");
        return in_arena<I>();
    }

    template <std::size_t I, class Executor>
    constexpr void compute(const input_type* input, Executor& threads) const noexcept {
        constexpr const node& n = Q::nodes[I];
        if constexpr (n.is_source() || n.traits().moves_no_data)
            return;
        else if constexpr (n.traits().converts && stored_float<I> != stored_float<input_of<I>>)
            change_domain<I>(input);
        else if constexpr (stored_float<I>)
            float_node<I>(input, threads);
        else if constexpr (n.is_linear())
            linear_node<I>(input, threads);
        else
            integer_node<I>(input, threads, std::make_index_sequence<static_cast<std::size_t>(n.input_count)>{});
    }
    template <std::size_t I>
    static constexpr bool stored_float = Q::nodes[I].numbers.activation.floating;

    template <std::size_t I, class Executor>
    constexpr void linear_node(const input_type* input, Executor& threads) const noexcept {
        constexpr const node& n = Q::nodes[I];
        constexpr const number_format& input_format = Q::nodes[input_of<I>].numbers.activation;
        constexpr auto at = parameters_type::layout.at[I];
        constexpr auto channels = static_cast<std::size_t>(n.out.channels);
        const std::int32_t* biases = parameters_->integers.data() + at.integers;
        constexpr detail::weight_storage storage = detail::storage_of_weights(n, input_format);
        const auto run_with = [&]<class Weight>(std::type_identity<Weight>, const auto* weights) {
            const detail::linear_view<Weight, Scheme> view{
                .weights = weights,
                .biases = biases,
                .corrected = biases + channels,
                .zero_points = detail::has_weight_zero_points(n, input_format) ? biases + 2 * channels : nullptr,
                .factors = parameters_->factors.data() + at.factors,
                .ahead = weights_ahead<I>()};
            detail::linear_step<detail::pair_sums_of(n, input_format), detail::integer_nests_of(Q::nodes)>(
                n, tensor<input_of<I>>(input), map_of(input_of<I>).zero_point, view, parameters_->constants[I],
                in_arena<I>(), scratch(), threads);
        };
        detail::with_weight_type<storage>([&](auto type) {
            if constexpr (storage == detail::weight_storage::words)
                run_with(type, parameters_->words.data() + at.words);
            else
                run_with(type, parameters_->bytes.data() + at.bytes);
        });
    }

    /// The weights of the next layer that has many.
    template <std::size_t I>
    constexpr auto weights_ahead() const noexcept -> kernels::memory_ahead {
        constexpr std::size_t next = parameters_type::next_large(I);
        constexpr auto from = parameters_type::layout.at[next].bytes;
        constexpr auto until =
            next + 1 < node_count<Q> ? parameters_type::layout.at[next + 1].bytes : parameters_type::layout.total.bytes;
        if constexpr (next == I)
            return {};
        else
            return {parameters_->bytes.data() + from, until - from};
    }

    template <std::size_t I, class Executor, std::size_t... K>
    constexpr void integer_node(const input_type* input, Executor& threads, std::index_sequence<K...>) const noexcept {
        using in = stored<input_of<I>>;
        const std::array<const in*, sizeof...(K)> inputs{tensor<input_of<I, K>>(input)...};
        const std::array<std::int32_t, sizeof...(K)> zero_points{map_of(input_of<I, K>).zero_point...};
        detail::compute_integers<operation_at<Q, I>>(detail::integer_call<in, stored<I>, Scheme, Executor>{
            Q::nodes.data(), Q::nodes[I], inputs.data(), zero_points.data(), parameters_->constants[I],
            parameters_->floats.data() + parameters_type::layout.at[I].floats, in_arena<I>(), threads});
    }

    template <std::size_t I, class Executor>
    void float_node(const input_type* input, Executor& threads) const noexcept {
        constexpr const node& n = Q::nodes[I];
        const auto run_with = [&]<std::size_t... K>(std::index_sequence<K...>) {
            const std::array<const float*, sizeof...(K)> inputs{tensor<input_of<I, K>>(input)...};
            const float* weights = parameters_->floats.data() + parameters_type::layout.at[I].floats;
            const float* biases =
                n.is_linear() ? weights + kernels::packed_weight_count<float, float>(n.convolution()) : weights;
            detail::run_reals<operation_at<Q, I>>(detail::real_call<float_nests, Executor>{
                Q::nodes.data(), n, inputs.data(), {weights, biases}, in_arena<I>(), scratch(), threads});
        };
        run_with(std::make_index_sequence<static_cast<std::size_t>(n.input_count)>{});
    }

    template <std::size_t I>
    constexpr void change_domain(const input_type* input) const noexcept {
        constexpr std::size_t before = input_of<I>;
        if constexpr (stored_float<I>)
            kernels::dequantize(kernels::reference::dequantize_arguments<stored<before>>{.input = tensor<before>(input),
                                                                                         .size = Q::nodes[I].out.size(),
                                                                                         .numbers = map_of(before),
                                                                                         .output = in_arena<I>()});
        else
            kernels::quantize(
                kernels::reference::quantize_arguments<stored<I>>{.input = tensor<before>(input),
                                                                  .size = Q::nodes[I].out.size(),
                                                                  .numbers = map_of(I),
                                                                  .format = Q::nodes[I].numbers.activation,
                                                                  .output = in_arena<I>()});
    }

    static constexpr kernels::nest_set float_nests =
        detail::float_nests_of(Q::nodes, [](const node& n) { return n.numbers.activation.floating; });

    /// The first thread's.
    constexpr kernels::scratch_memory scratch() const noexcept {
        return {arena_ + memory_plan_of<Q>.arena_bytes, scratch_size};
    }

    const parameters_type* parameters_;
    std::uint8_t* arena_;
    std::size_t threads_;
};

} // namespace statiq
