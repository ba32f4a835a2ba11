// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/convolution/nests.hpp>
#include <statiq/kernels/reference/convolution.hpp>
#include <statiq/kernels/vector_kernel.hpp>
#include <statiq/kernels/weights/layouts.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/tensor/window.hpp>

#ifndef STATIQ_NO_SIMD
#include <statiq/kernels/convolution/vector_convolution.hpp>
#endif

#include <type_traits>

namespace statiq::kernels {

#ifndef STATIQ_NO_SIMD
template <int PairSums, nest_set Nests>
struct convolution_kernel {
    template <class Arch, class In, class Weight, class Out, class Scheme>
    static bool run(const convolution_arguments<In, Weight, Out, Scheme>& arguments,
                    const convolution_shape& shape) noexcept {
        const nest chosen =
            byte_nest_of<Weight>(shape, arguments.weight_zero_points != nullptr, simd::word_lanes<Arch>);
        return vectorized::convolution<Arch, PairSums, Nests>(chosen, arguments, shape);
    }
    template <class Arch>
    static bool run(const float_convolution_arguments& arguments, const convolution_shape& shape) noexcept {
        return vectorized::convolution<Arch, 0, Nests>(float_nest_of(shape), arguments, shape);
    }
};
#endif

/// Integer convolution: grouped, depthwise (with multiplier) and dense too. Bits as `reference::convolution`.
/// Bytes times bytes to bytes run in vector registers; other types, depthwise multipliers above 1, depthwise windows of
/// more than 64 taps and constant evaluation in reference code.
/// @tparam PairSums of `exact_pair_sums` for inputs and packed weights, if these are known to be narrower than their
/// types: how many sums of two products 16 bits certainly hold. Where there is a byte dot product it does not matter.
/// @tparam Nests what the convolutions that will be run need, if they are known: less code. Any other runs all the
/// same, but in reference code, and so does one with less scratch memory than `needed_scratch`.
/// @param arch the instruction set: `simd::native_arch`, or any other of `simd::compiled_archs`.
template <int PairSums = 0, nest_set Nests = nest_set::all(), class Scheme, class In, class Weight, class Out,
          class Arch = simd::native_arch>
constexpr void convolution(const convolution_arguments<In, Weight, Out, Scheme>& arguments,
                           const convolution_shape& shape, [[maybe_unused]] Arch arch = {}) noexcept {
    if constexpr (is_byte_product<In, Weight> && sizeof(Out) == 1)
        if (!std::is_constant_evaluated() && run_vectors<convolution_kernel<PairSums, Nests>, Arch>(arguments, shape))
            return;
    reference::convolution(arguments, shape);
}

/// Float convolution: `reference::convolution` up to the rounding of its sums. The order of the sums is the
/// reference's, but products are fused into them if the instruction set has fused multiply-add.
template <nest_set Nests = nest_set::all(), class Arch = simd::native_arch>
constexpr void convolution(const float_convolution_arguments& arguments, const convolution_shape& shape,
                           [[maybe_unused]] Arch arch = {}) noexcept {
    if (!std::is_constant_evaluated() && run_vectors<convolution_kernel<0, Nests>, Arch>(arguments, shape)) return;
    reference::convolution(arguments, shape);
}

} // namespace statiq::kernels
