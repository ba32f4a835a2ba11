// SPDX-License-Identifier: Apache-2.0
// rejects: where weights alone are integers, sums are float: run it as a weight_only_network
#include <statiq/execute/prepare.hpp>
#include <statiq/execute/weight_only_network.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
using activations = float32;
#else
using activations = quantized<8, asymmetric>;
#endif

constexpr auto body = input<8, 8, 8> | named<"a">(conv<8>(kernel<3>)) | relu;
struct net final : network<decltype(body)> {};
using chosen = numbers_chosen<net, quantized<8>, activations>;

void pack(const quantized_parameters<chosen>& from, integer_parameters<chosen, float_multiplier>& to);
void pack(const quantized_parameters<chosen>& from, integer_parameters<chosen, float_multiplier>& to) {
    prepare(from, to);
}
