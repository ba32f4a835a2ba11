// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: compare a graph with itself or with what a pass made of it
#include <statiq/analyze/compare.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/deploy.hpp>

#include <cstddef>
#include <span>

using namespace statiq;

struct net final : network<decltype(input<1, 1, 8> | dense<4>)> {};
struct other final : network<decltype(input<1, 1, 8> | dense<5>)> {};

struct no_samples {
    [[nodiscard]] std::size_t size() const { return 0; }
    std::span<const float> operator[](std::size_t) const { return {}; }
};

#ifdef STATIQ_REJECT
using compared = other;
#else
using compared = net;
#endif

std::size_t lines(float_network<net>& reference, float_network<compared>& approximation) {
    return compare(reference, approximation, no_samples{}).size();
}
