// SPDX-License-Identifier: Apache-2.0
// Runs a converted model on stored inputs and compares every tensor that is stored with them.
//   run_converted PARAMETERS.safetensors [GOLDEN_FOLDER]
// Compiled with -DCONVERTED_HEADER='"net.hpp"' -DCONVERTED=<its namespace>. Without a folder of vectors, or for a float
// model, it runs on zeros and says so.
#include CONVERTED_HEADER

#include <statiq/execute/float_network.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/io/integers.hpp>
#include <statiq/io/npy.hpp>
#include <statiq/io/parameters.hpp>
#include <statiq/io/safetensors.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace sq = statiq;

namespace {

struct comparison {
    std::size_t values = 0;
    std::size_t wrong = 0;
    std::string first{};

    template <class T>
    void add(const T* ours, std::span<const T> expected, const std::string& where) {
        values += expected.size();
        for (std::size_t k = 0; k < expected.size(); ++k)
            if (ours[k] != expected[k] && wrong++ == 0) first = where + "[" + std::to_string(k) + "]";
    }
};

/// The model's tensors that each layer makes.
[[maybe_unused]] std::multimap<std::string, std::string> tensors_of_layers(const sq::io::safetensors& file) {
    std::multimap<std::string, std::string> tensors;
    for (const auto& [key, layer] : file.metadata())
        if (key.starts_with("tensor.")) tensors.emplace(layer, "t" + key.substr(7));
    return tensors;
}

template <class Q>
int compare(const std::filesystem::path& parameters, const std::filesystem::path& folder) {
    auto model = sq::integer_model<sq::gemmlowp>(sq::load_integers<Q>(parameters));
    using network = typename decltype(model)::network_type;
    using in = typename network::input_type;
    using out = typename network::output_type;
    if (folder.empty()) {
        const std::vector<in> zeros(network::input_size);
        std::printf("ran: %zu outputs\n", model.network().run(zeros).size());
        return 0;
    }
    const auto tensors = tensors_of_layers(sq::io::read_safetensors(parameters));
    const sq::io::stored_array inputs = sq::io::read_npy(folder / "inputs.npy");
    const sq::io::stored_array outputs = sq::io::read_npy(folder / "outputs.npy");
    const sq::io::safetensors layers = sq::io::read_safetensors(folder / "layers.safetensors");
    const auto samples = inputs.values<in>();
    const auto expected = outputs.values<out>();
    const std::size_t count = samples.size() / network::input_size;
    if (count == 0 || expected.size() != count * network::output_size)
        throw std::runtime_error(folder.string() + ": inputs and outputs are not this network's");
    comparison all;
    std::size_t compared = 0;
    for (std::size_t sample = 0; sample < count; ++sample) {
        const auto look = [&]<std::size_t I, class T>(sq::node_index<I>, const T* ours) {
            const auto [first, last] = tensors.equal_range(std::string(Q::nodes[I].name.view()));
            for (auto tensor = first; tensor != last; ++tensor) {
                const std::string stored = "in" + std::to_string(sample) + "." + tensor->second;
                if (!layers.contains(stored)) continue;
                const auto values = layers.at(stored).template values<T>();
                if (values.size() != Q::nodes[I].out.size()) throw std::runtime_error(stored + ": another size");
                ++compared;
                all.add(ours, values, tensor->first);
            }
        };
        const auto result =
            model.network().run(samples.subspan(sample * network::input_size, network::input_size), look);
        all.add(result.data(), expected.subspan(sample * network::output_size, network::output_size), "output");
    }
    std::printf("compared %zu outputs and %zu of %zu intermediate tensors, %zu values: %zu differ%s%s\n", count,
                compared, layers.size(), all.values, all.wrong, all.wrong == 0 ? "" : ", the first at ",
                all.first.c_str());
    return all.wrong == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    try {
        if (argc < 2) throw std::runtime_error("no parameter file");
#ifdef CONVERTED_FLOATS
        sq::float_network<CONVERTED::network> network(sq::load<CONVERTED::network>(argv[1]));
        const std::vector<float> zeros(sq::input_extents<CONVERTED::network>.size());
        std::printf("ran: %zu outputs\n", network(zeros).size());
        return 0;
#else
        return compare<CONVERTED::numbers>(argv[1], argc > 2 ? argv[2] : "");
#endif
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 2;
    }
}
