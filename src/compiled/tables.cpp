// SPDX-License-Identifier: Apache-2.0
#include "group_table.hpp"
#include <tuple>

namespace statiq::kernels::compiled {
namespace {

template <class... Groups>
const void* all_tables(group_list<Groups...>) noexcept {
    static const std::tuple<const typename Groups::table*...> tables{&table_of<Groups>()...};
    return &tables;
}

} // namespace
} // namespace statiq::kernels::compiled

/// What a variant of the library offers (execute/dispatch.hpp).
extern "C" const void* STATIQ_VARIANT() noexcept;
const void* STATIQ_VARIANT() noexcept {
    return statiq::kernels::compiled::all_tables(statiq::kernels::compiled::library{});
}
