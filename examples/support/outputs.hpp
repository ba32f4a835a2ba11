// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/shares.hpp>
#include <statiq/execute/simulation.hpp>
#include <statiq/tensor/sample_reader.hpp>

#include <cstddef>
#include <vector>

namespace example {

/// All outputs of a network: [sample][value].
std::vector<float> outputs_of(const statiq::simulation<>& prototype, const statiq::sample_reader& samples,
                              std::size_t threads, const statiq::progress& report);

} // namespace example
