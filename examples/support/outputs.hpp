// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simulate/simulation.hpp>
#include <statiq/tensor/sample_reader.hpp>
#include <statiq/threads/shares.hpp>

#include <cstddef>
#include <vector>

namespace example {

/// All outputs of a network: [sample][value].
std::vector<float> outputs_of(const statiq::simulation<>& prototype, const statiq::sample_reader& samples,
                              std::size_t threads, const statiq::progress& report);

} // namespace example
