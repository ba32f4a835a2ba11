// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/float_network.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/plan/facts.hpp>

#include <benchmark/benchmark.h>

#include "agreement.hpp"
#include "peak.hpp"
#include "random_model.hpp"
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#ifdef STATIQ_BENCHMARK_ONEDNN
#include "onednn_chain.hpp"
#endif

namespace benchmarks {

/// A network with random weights in every engine and number type that is timed. Made when first asked for; by then
/// every engine's output has been compared with the others'.
/// @tparam Net a network, or a single layer as one.
template <statiq::graph_type Net>
class subject {
  public:
    using graph = statiq::deployed<Net>;
    using weight = statiq::quantized<8, statiq::symmetric, statiq::per_channel>;
    using activation = statiq::quantized<8, statiq::asymmetric>;
    using numbers = statiq::numbers_chosen<graph, weight, activation>;
    static constexpr double products = static_cast<double>(statiq::multiply_accumulates<graph>);
    static constexpr bool single_layer = statiq::node_count<graph> == 2; // behind its input

    static subject& get(const std::string& name) {
        static subject only(name);
        return only;
    }

    void run_int8() { benchmark::DoNotOptimize(integer_.network().run(bytes_.data()).data()); }
    void run_float32() { benchmark::DoNotOptimize(float_.run(reals_.data()).data()); }

#ifdef STATIQ_BENCHMARK_ONEDNN
    onednn_chain& peer(bool floating, int threads) {
        auto& chain = peers_[{floating, threads}];
        if (chain == nullptr) {
            chain = std::make_unique<onednn_chain>(
                floating ? onednn_chain(statiq::deployed<Net>::nodes, parameters_.layers, threads)
                         : onednn_chain(numbers::nodes, integers_.layers, threads));
            chain->set_input(floating ? static_cast<const void*>(reals_.data()) : bytes_.data());
            chain->run();
            const std::vector<float> output = chain->output();
            if (floating)
                require_equal_reals(name_ + ": oneDNN's float32", output, "statiq's", float_output_);
            else
                require_equal_steps(name_ + ": oneDNN's int8", output, "statiq's", integer_output_,
                                    single_layer ? 1 : 4);
        }
        return *chain;
    }
#endif

  private:
    explicit subject(std::string name)
        : name_(std::move(name)), random_(20), parameters_(random_parameters<graph>(random_)),
          reals_(uniform(random_, statiq::input_extents<graph>.size(), 0, 1)), float_(parameters_),
          integers_(statiq::quantize_parameters<numbers>(
              parameters_, from_zero<graph>(statiq::calibrate(parameters_, one_sample{reals_})))),
          integer_(statiq::integer_model<statiq::float_multiplier>(integers_)), bytes_(reals_.size()) {
        for (std::size_t i = 0; i < reals_.size(); ++i)
            bytes_[i] = static_cast<std::uint8_t>(
                statiq::quantize(reals_[i], integer_.network().input_map(), activation::format));
        const auto reals = float_.run(reals_.data());
        float_output_.assign(reals.begin(), reals.end());
        const auto stored = integer_.network().run(bytes_.data());
        integer_output_.assign(stored.begin(), stored.end());
        require_similar(name_ + ": int8", integer_output_, "float32", float_output_);
    }

    std::string name_;
    std::mt19937 random_;
    statiq::parameters<graph> parameters_;
    std::vector<float> reals_;
    statiq::float_network<graph> float_;
    statiq::quantized_parameters<numbers> integers_;
    statiq::model<numbers, statiq::float_multiplier> integer_;
    std::vector<std::uint8_t> bytes_;
    std::vector<float> float_output_;
    std::vector<float> integer_output_;
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

/// Registers `<name>/<engine>/<numbers>/threads:<n>` for every engine and number type, those to be compared next to
/// each other.
template <statiq::graph_type Net>
bool register_network(const std::string& name) {
    using network = subject<Net>;
    const auto add = [&](const std::string& engine, bool floating, int threads, auto make) {
        const std::string full =
            name + "/" + engine + (floating ? "/float32" : "/int8") + "/threads:" + std::to_string(threads);
        benchmark::RegisterBenchmark(full.c_str(), [=](benchmark::State& state) {
            auto run = make(network::get(name));
            run(); // everything is warm
            for ([[maybe_unused]] auto _ : state) run();
            count_products(state, network::products, floating, threads);
        })->Unit(benchmark::kMicrosecond);
    };
    for (const bool floating : {false, true}) {
        add("statiq", floating, 1, [floating](network& made) {
            return [&made, floating] { floating ? made.run_float32() : made.run_int8(); };
        });
#ifdef STATIQ_BENCHMARK_ONEDNN
        for (int threads = 1; threads <= std::min(2, onednn_chain::processors()); ++threads)
            add("onednn", floating, threads, [floating, threads](network& made) {
                return [&chain = made.peer(floating, threads)] { chain.run(); };
            });
#endif
    }
    return true;
}

} // namespace benchmarks
