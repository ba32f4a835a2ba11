// SPDX-License-Identifier: Apache-2.0
// Every kind of loop nest in every execution, for the compiler to say what stack they take.
#include <statiq/execute/float_network.hpp>
#include <statiq/execute/integer_network.hpp>
#include <statiq/execute/weight_only_network.hpp>

#include "every_nest.hpp"

namespace stack {

/// A network that runs where the compiler cannot see what becomes of it.
template <class Network, class Input>
void run(Network& network, const Input& input) {
    network.run(input);
}

template void run(bytes_network&, const bytes_network::input_span&);
template void run(zero_points_network&, const zero_points_network::input_span&);
template void run(nibbles_network&, const nibbles_network::input_span&);
template void run(reals_network&, const reals_network::input_span&);
template void run(reals_of_nibbles_network&, const reals_of_nibbles_network::input_span&);

} // namespace stack
