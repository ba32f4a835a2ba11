// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/backward/arguments.hpp>
#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/convolution/nests.hpp>
#include <statiq/kernels/reference/add.hpp>
#include <statiq/kernels/reference/concat.hpp>
#include <statiq/kernels/reference/convert.hpp>
#include <statiq/kernels/reference/look_up.hpp>
#include <statiq/kernels/reference/mean.hpp>
#include <statiq/kernels/reference/pool.hpp>
#include <statiq/kernels/vector_kernels.hpp>
#include <statiq/kernels/weights/sub_byte.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/tensor/window.hpp>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>

/// What `statiq::compiled` holds: kernels for the usual formats, compiled once for each instruction set.
namespace statiq::kernels::compiled {

/// A kernel for one set of argument types.
template <class Kernel, class... Arguments>
struct entry {
    using function = bool (*)(const Arguments&...) noexcept;
};

/// The code of one entry in a group.
template <class Entry>
struct slot {
    typename Entry::function function;
};

/// Entries that are compiled together, in one source.
template <class... Entries>
struct group {
    struct table : slot<Entries>... {};
};

template <class In, class Weight, class Out, class Scheme, int PairSums>
using convolution_entry = entry<convolution_kernel<PairSums, nest_set::all()>,
                                convolution_arguments<In, Weight, Out, Scheme>, convolution_shape>;

/// Convolutions of a byte type under a scheme.
template <class T, class Scheme>
using convolutions =
    group<convolution_entry<T, std::int8_t, T, Scheme, 0>, convolution_entry<T, std::int8_t, T, Scheme, 1>,
          convolution_entry<T, sub_byte<4>, T, Scheme, 8>>;

template <class In, class Out, class Scheme>
using add_entry = entry<add_kernel, reference::add_arguments<In, Out, Scheme>>;
template <class In, class Out, class Scheme>
using concat_entry = entry<concat_kernel, reference::concat_arguments<In, Out, Scheme>>;
template <class In, class Out, class Scheme>
using mean_entry = entry<mean_kernel, reference::mean_arguments<In, Out, Scheme>>;
template <class In, class Out, class Scheme>
using requantize_entry = entry<requantize_kernel, reference::requantize_arguments<In, Out, Scheme>>;

/// Every other kernel that requantizes bytes under a scheme.
template <class Scheme, class U = std::uint8_t, class S = std::int8_t>
using requantizations =
    group<add_entry<U, U, Scheme>, add_entry<U, S, Scheme>, add_entry<S, U, Scheme>, add_entry<S, S, Scheme>,
          concat_entry<U, U, Scheme>, concat_entry<U, S, Scheme>, concat_entry<S, U, Scheme>,
          concat_entry<S, S, Scheme>, mean_entry<U, U, Scheme>, mean_entry<U, S, Scheme>, mean_entry<S, U, Scheme>,
          mean_entry<S, S, Scheme>, requantize_entry<U, U, Scheme>, requantize_entry<U, S, Scheme>,
          requantize_entry<S, U, Scheme>, requantize_entry<S, S, Scheme>>;

/// Kernels of bytes that no scheme takes part in.
template <class U = std::uint8_t, class S = std::int8_t>
using plain_bytes = group<
    entry<quantize_kernel, reference::quantize_arguments<U>>, entry<quantize_kernel, reference::quantize_arguments<S>>,
    entry<dequantize_kernel, reference::dequantize_arguments<U>>,
    entry<dequantize_kernel, reference::dequantize_arguments<S>>, entry<clamp_kernel, reference::clamp_arguments<U>>,
    entry<clamp_kernel, reference::clamp_arguments<S>>, entry<max_pool_kernel, reference::pool_arguments<U>>,
    entry<max_pool_kernel, reference::pool_arguments<S>>, entry<average_pool_kernel, reference::pool_arguments<U>>,
    entry<average_pool_kernel, reference::pool_arguments<S>>, entry<look_up_kernel, reference::look_up_arguments<U, U>>,
    entry<look_up_kernel, reference::look_up_arguments<U, S>>,
    entry<look_up_kernel, reference::look_up_arguments<S, U>>,
    entry<look_up_kernel, reference::look_up_arguments<S, S>>>;

using floats = group<entry<convolution_kernel<0, nest_set::all()>, float_convolution_arguments, convolution_shape>,
                     entry<weight_gradient_kernel, weight_gradient_arguments, convolution_shape>>;

/// All groups.
template <class... Groups>
struct group_list {
    /// The library for one instruction set.
    using tables = std::tuple<const typename Groups::table*...>;
    /// The table that has this entry, if one has.
    template <class Entry>
    static constexpr bool has = (std::is_base_of_v<slot<Entry>, typename Groups::table> || ...);
    template <class Entry>
    static constexpr std::size_t place_of() {
        constexpr bool in_group[] = {std::is_base_of_v<slot<Entry>, typename Groups::table>...};
        std::size_t place = 0;
        while (!in_group[place]) ++place;
        return place;
    }
};

// Named as their sources in src/compiled/.
using convolutions_u8_float_multiplier = convolutions<std::uint8_t, float_multiplier>;
using convolutions_s8_float_multiplier = convolutions<std::int8_t, float_multiplier>;
using convolutions_u8_gemmlowp = convolutions<std::uint8_t, gemmlowp>;
using convolutions_s8_gemmlowp = convolutions<std::int8_t, gemmlowp>;
using convolutions_u8_single_rounding = convolutions<std::uint8_t, single_rounding>;
using convolutions_s8_single_rounding = convolutions<std::int8_t, single_rounding>;
using requantizations_float_multiplier = requantizations<float_multiplier>;
using requantizations_gemmlowp = requantizations<gemmlowp>;
using requantizations_single_rounding = requantizations<single_rounding>;
using bytes = plain_bytes<>;

using library = group_list<convolutions_u8_float_multiplier, convolutions_s8_float_multiplier, convolutions_u8_gemmlowp,
                           convolutions_s8_gemmlowp, convolutions_u8_single_rounding, convolutions_s8_single_rounding,
                           requantizations_float_multiplier, requantizations_gemmlowp, requantizations_single_rounding,
                           bytes, floats>;

} // namespace statiq::kernels::compiled
