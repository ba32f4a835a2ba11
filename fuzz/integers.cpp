// SPDX-License-Identifier: Apache-2.0

// A network's integers in safetensors files. What is accepted runs, in every scheme.

#include <statiq/io/integers.hpp>

#include "integer_nets.hpp"
#include "integer_seeds.hpp"
#include "seed_file.hpp"
#include "target.hpp"
#include <memory>
#include <vector>

namespace {

template <class Scheme>
void prepare_and_run(const statiq::quantized_parameters<fuzz::integer_net>& integers) {
    auto packed = std::make_unique<statiq::integer_parameters<fuzz::integer_net, Scheme>>();
    statiq::prepare(integers, *packed);
    fuzz::run<Scheme>(std::move(packed));
}

} // namespace

void fuzz::read(const bytes& input) {
    const statiq::io::safetensors file = statiq::io::parse_safetensors(input, "input");
    const auto integers = statiq::io::read_integers<integer_net>(file);
    prepare_and_run<statiq::float_multiplier>(integers);
    prepare_and_run<statiq::gemmlowp>(integers);
    prepare_and_run<statiq::single_rounding>(integers);
}

std::vector<fuzz::bytes> fuzz::seeds() {
    std::vector<bytes> made;
    for (const int weight : {0, 1, -127})
        made.push_back(seed_file([&](const auto& path) { statiq::io::save_integers(path, integers_of(weight)); }));
    return made;
}
