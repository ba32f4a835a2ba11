// SPDX-License-Identifier: Apache-2.0
#include "shared_network.hpp"

int major_version_seen_by_two();

int major_version_seen_by_two() { return STATIQ_VERSION_MAJOR; }

const void* nodes_seen_by_two() { return shared_network::nodes.data(); }
const std::type_info& network_seen_by_two() { return typeid(statiq::deployed<shared_network>); }
