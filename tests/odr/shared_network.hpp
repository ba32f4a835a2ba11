// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/statiq.hpp>

#include <typeinfo>

/// A body in a header is a function with a name, so that both sources see one network.
struct shared_body {
    constexpr auto operator()() const { return statiq::input<8, 8, 3> | statiq::conv<8>(statiq::kernel<3>); }
};
struct shared_network final : statiq::network<shared_body> {};

/// Where the other source sees the network's nodes, and its network's type.
const void* nodes_seen_by_two();
const std::type_info& network_seen_by_two();
