// SPDX-License-Identifier: Apache-2.0

// Packed parameters, read where they lie: bytes that are taken for parameters run without reading or writing outside
// the network's memory, whatever their numbers are.

#include "integer_nets.hpp"
#include "integer_seeds.hpp"
#include "target.hpp"
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace {

using scheme = statiq::gemmlowp;
using parameters = statiq::integer_parameters<fuzz::integer_net, scheme>;

struct alignas(64) line {
    std::byte bytes[64];
};

} // namespace

void fuzz::read(const bytes& input) {
    std::vector<line> lines(input.size() / sizeof(line) + 1);
    if (!input.empty()) std::memcpy(lines.data(), input.data(), input.size());
    const auto aligned = std::as_bytes(std::span(lines)).first(input.size());
    const auto found = statiq::parameters_from_bytes<integer_net, scheme>(aligned);
    if (found) fuzz::run<scheme>(std::make_unique<parameters>(*found));
}

std::vector<fuzz::bytes> fuzz::seeds() {
    std::vector<bytes> made;
    for (const int weight : {0, 1, -127}) {
        const auto packed = std::make_unique<parameters>();
        statiq::prepare(integers_of(weight), *packed);
        const auto stored = std::as_bytes(std::span(packed.get(), 1));
        made.emplace_back(stored.begin(), stored.end());
    }
    return made;
}
