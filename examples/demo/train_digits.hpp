// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/parameters.hpp>
#include <statiq/networks/digits.hpp>

namespace demo {

/// Trains the digits network from scratch, as its stored weights were, and prints how it goes.
statiq::parameters<statiq::networks::digits> train_digits();

} // namespace demo
