// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/add.hpp>
#include <statiq/kernels/backward/weight_gradient.hpp>
#include <statiq/kernels/compiled/entries.hpp>
#include <statiq/kernels/concat.hpp>
#include <statiq/kernels/convert.hpp>
#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/look_up.hpp>
#include <statiq/kernels/mean.hpp>
#include <statiq/kernels/pool.hpp>

/// How a source of the library offers a group of entries. Each source is compiled once for each instruction set.
namespace statiq::kernels::compiled {

template <class Entry>
struct code;
template <class Kernel, class... Arguments>
struct code<entry<Kernel, Arguments...>> {
    static bool run(const Arguments&... arguments) noexcept {
        return run_vectors<Kernel, simd::native_arch>(arguments...);
    }
};

template <class... Entries>
constexpr typename group<Entries...>::table make_table(group<Entries...>) noexcept {
    return {slot<Entries>{&code<Entries>::run}...};
}

/// The table of a group.
template <class Group>
const typename Group::table& table_of() noexcept;

template <>
const convolutions_u8_float_multiplier::table& table_of<convolutions_u8_float_multiplier>() noexcept;
template <>
const convolutions_s8_float_multiplier::table& table_of<convolutions_s8_float_multiplier>() noexcept;
template <>
const convolutions_u8_gemmlowp::table& table_of<convolutions_u8_gemmlowp>() noexcept;
template <>
const convolutions_s8_gemmlowp::table& table_of<convolutions_s8_gemmlowp>() noexcept;
template <>
const convolutions_u8_single_rounding::table& table_of<convolutions_u8_single_rounding>() noexcept;
template <>
const convolutions_s8_single_rounding::table& table_of<convolutions_s8_single_rounding>() noexcept;
template <>
const requantizations_float_multiplier::table& table_of<requantizations_float_multiplier>() noexcept;
template <>
const requantizations_gemmlowp::table& table_of<requantizations_gemmlowp>() noexcept;
template <>
const requantizations_single_rounding::table& table_of<requantizations_single_rounding>() noexcept;
template <>
const bytes::table& table_of<bytes>() noexcept;
template <>
const floats::table& table_of<floats>() noexcept;

} // namespace statiq::kernels::compiled

/// Defines the table of one group, and thereby compiles its kernels.
#define STATIQ_DEFINE_GROUP(group)                                                                                     \
    template <>                                                                                                        \
    auto statiq::kernels::compiled::table_of<statiq::kernels::compiled::group>() noexcept->const group::table& {       \
        static constexpr auto table = make_table(group{});                                                             \
        return table;                                                                                                  \
    }
