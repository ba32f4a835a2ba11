// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/float_network.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/plan/facts.hpp>
#include <statiq/threads/thread_pool.hpp>

#include <benchmark/benchmark.h>

#include "agreement.hpp"
#include "peak.hpp"
#include "random_model.hpp"
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#ifdef STATIQ_BENCHMARK_ONEDNN
#include "onednn_chain.hpp"
#endif

namespace benchmarks {

/// statiq's integer execution of a graph, weights of WeightBits bits per channel, activations unsigned bytes.
template <statiq::graph_type G, int WeightBits>
class integer_engine {
  public:
    using weight = statiq::quantized<WeightBits, statiq::symmetric, statiq::per_channel>;
    using activation = statiq::quantized<8, statiq::asymmetric>;
    using numbers = statiq::numbers_chosen<G, weight, activation>;

    integer_engine(const statiq::parameters<G>& reals, const statiq::node_ranges<G>& ranges,
                   const std::vector<float>& sample)
        : integers(statiq::quantize_parameters<numbers>(reals, ranges)),
          model_(statiq::integer_model<statiq::float_multiplier>(integers)) {
        for (const float x : sample)
            input.push_back(
                static_cast<std::uint8_t>(statiq::quantize(x, model_.network().input_map(), activation::format)));
    }
    template <class Executor>
    void run(Executor& threads) {
        model_.reserve(threads.concurrency());
        benchmark::DoNotOptimize(model_.network().run(threads, input).data());
    }
    [[nodiscard]] std::vector<float> output() {
        const auto stored = model_.network().run(input);
        return {stored.begin(), stored.end()};
    }

    statiq::quantized_parameters<numbers> integers;
    std::vector<std::uint8_t> input{};

  private:
    statiq::model<numbers, statiq::float_multiplier> model_;
};

/// A network with random weights in every engine and number type that is timed. Each is made when first asked for; by
/// then its output has been compared with another's.
/// @tparam Net a network, or a single layer as one.
template <statiq::graph_type Net>
class subject {
  public:
    using graph = statiq::deployed<Net>;
    static constexpr double products = static_cast<double>(statiq::multiply_accumulates<graph>);
    static constexpr bool single_layer = statiq::node_count<graph> == 2; // behind its input

    static subject& get(const std::string& name) {
        static subject only(name);
        return only;
    }

    template <class Executor>
    void run_float32(Executor& threads) {
        benchmark::DoNotOptimize(float_.run(threads, reals_).data());
    }

    template <int WeightBits = 8>
    integer_engine<graph, WeightBits>& integers() {
        static auto made = [this] {
            auto engine = std::make_unique<integer_engine<graph, WeightBits>>(parameters_, ranges_, reals_);
            // What 7 bits cost hardly shows, 4 bits without training are coarse.
            constexpr double least = WeightBits >= 7 ? 0.9 : 0.4;
            require_similar(name_ + ": integers", engine->output(), "float32", float_output_, least);
            return engine;
        }();
        return *made;
    }

#ifdef STATIQ_BENCHMARK_ONEDNN
    onednn_chain& peer(bool floating, int threads) {
        auto& chain = peers_[{floating, threads}];
        if (chain != nullptr) return *chain;
        if (floating) {
            chain = std::make_unique<onednn_chain>(graph::nodes, parameters_.layers, threads);
            chain->set_input(reals_.data());
        } else {
            chain = std::make_unique<onednn_chain>(integer_engine<graph, 8>::numbers::nodes, integers().integers.layers,
                                                   threads);
            chain->set_input(integers().input.data());
        }
        chain->run();
        const std::vector<float> output = chain->output();
        if (floating)
            require_equal_reals(name_ + ": oneDNN's float32", output, "statiq's", float_output_);
        else if (onednn_chain::saturates())
            require_similar(name_ + ": oneDNN's int8", output, "statiq's", integers().output(), 0.9);
        else
            require_equal_steps(name_ + ": oneDNN's int8", output, "statiq's", integers().output(),
                                single_layer ? 1 : 4);
        return *chain;
    }
#endif

  private:
    explicit subject(std::string name)
        : name_(std::move(name)), random_(20), parameters_(random_parameters<graph>(random_)),
          reals_(uniform(random_, statiq::input_extents<graph>.size(), 0, 1)),
          ranges_(from_zero<graph>(statiq::calibrate(parameters_, one_sample{reals_}))), float_(parameters_) {
        const auto reals = float_.run(reals_);
        float_output_.assign(reals.begin(), reals.end());
    }

    std::string name_;
    std::mt19937 random_;
    statiq::parameters<graph> parameters_;
    std::vector<float> reals_;
    statiq::node_ranges<graph> ranges_;
    statiq::float_network<graph> float_;
    std::vector<float> float_output_;
#ifdef STATIQ_BENCHMARK_ONEDNN
    std::map<std::pair<bool, int>, std::unique_ptr<onednn_chain>> peers_{};
#endif
};

inline void count_products(benchmark::State& state, double products, bool floating, int threads) {
    using benchmark::Counter;
    const double peak = (floating ? peak_of_floats() : peak_of_integers()) * threads;
    state.counters["GMAC/s"] = Counter(products * 1e-9, Counter::kIsIterationInvariantRate);
    if (peak > 0) state.counters["of_peak"] = Counter(products * 1e-9 / peak, Counter::kIsIterationInvariantRate);
}

/// How many threads are timed: one, and two where there are as many processors.
inline std::size_t most_threads() {
#ifdef STATIQ_BENCHMARK_ONEDNN
    return static_cast<std::size_t>(std::min(2, onednn_chain::processors()));
#else
    return std::min<std::size_t>(2, statiq::detail::usable_processors());
#endif
}

inline statiq::thread_pool& two_threads() {
    static statiq::thread_pool both(2);
    return both;
}

/// Calls visit(threads) with each executor that is timed.
template <class Visit>
void for_each_executor(Visit&& visit) {
    static statiq::sequential alone;
    visit(alone);
    if (most_threads() > 1) visit(two_threads());
}

/// Registers `<name>/<engine>/<numbers>/threads:<n>` for every engine and number type, those to be compared next to
/// each other. Numbers are int8 (weights and activations), float32, and w<n>a8 for narrow weights.
/// @tparam NarrowBits bits of the weights of further integer networks of statiq's.
template <statiq::graph_type Net, int... NarrowBits>
bool register_network(const std::string& name) {
    using network = subject<Net>;
    const auto add = [&](const std::string& engine, const std::string& numbers, int threads, auto make) {
        const std::string full = name + "/" + engine + "/" + numbers + "/threads:" + std::to_string(threads);
        const bool floating = numbers == "float32";
        benchmark::RegisterBenchmark(full.c_str(), [=](benchmark::State& state) {
            auto run = make(network::get(name));
            run(); // everything is warm
            for ([[maybe_unused]] auto _ : state) run();
            count_products(state, network::products, floating, threads);
        })->Unit(benchmark::kMicrosecond);
    };
    const auto add_peers = [&]([[maybe_unused]] bool floating) {
#ifdef STATIQ_BENCHMARK_ONEDNN
        for (int threads = 1; threads <= static_cast<int>(most_threads()); ++threads)
            add("onednn", floating ? "float32" : "int8", threads, [floating, threads](network& made) {
                return [&chain = made.peer(floating, threads)] { chain.run(); };
            });
#endif
    };
    const auto add_integers = [&]<int Bits>(std::integral_constant<int, Bits>, const std::string& numbers) {
        for_each_executor([&](auto& threads) {
            if constexpr (Bits == 8 || std::is_same_v<decltype(threads), statiq::sequential&>)
                add("statiq", numbers, static_cast<int>(threads.concurrency()), [&threads](network& made) {
                    return [&threads, &engine = made.template integers<Bits>()] { engine.run(threads); };
                });
        });
    };
    add_integers(std::integral_constant<int, 8>{}, "int8");
    add_peers(false);
    (add_integers(std::integral_constant<int, NarrowBits>{},
                  std::string("w").append(std::to_string(NarrowBits)).append("a8")),
     ...);
    for_each_executor([&](auto& threads) {
        add("statiq", "float32", static_cast<int>(threads.concurrency()),
            [&threads](network& made) { return [&threads, &made] { made.run_float32(threads); }; });
    });
    add_peers(true);
    return true;
}

} // namespace benchmarks
