// SPDX-License-Identifier: Apache-2.0
// A convolution from unsigned to signed bytes has no usual format.
// rejects with: -DSTATIQ_COMPILED -USTATIQ_NO_SIMD
// rejects: statiq: statiq::compiled has no kernel for these types
// rejects: convolution_arguments<unsigned char, signed char, signed char, (statiq::)?gemmlowp>
#include <statiq/kernels/convolution.hpp>

#include <cstdint>

using arguments = statiq::kernels::convolution_arguments<std::uint8_t, std::int8_t, std::int8_t, statiq::gemmlowp>;

void convolve(const arguments& of, const statiq::convolution_shape& shape) { statiq::kernels::convolution(of, shape); }
