// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/nests.hpp>

/// The names of the kernels that run in vector registers (vector_kernel.hpp).
namespace statiq::kernels {

struct add_kernel;
struct average_pool_kernel;
struct clamp_kernel;
struct concat_kernel;
struct dequantize_kernel;
struct look_up_kernel;
struct max_pool_kernel;
struct mean_kernel;
struct quantize_kernel;
struct requantize_kernel;
struct weight_gradient_kernel;
/// @tparam PairSums, Nests as `convolution` takes them
template <int PairSums, nest_set Nests>
struct convolution_kernel;

} // namespace statiq::kernels
