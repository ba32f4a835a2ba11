// SPDX-License-Identifier: Apache-2.0
#include "shared_network.hpp"

int major_version_seen_by_two();

int main() {
    const bool one_library = major_version_seen_by_two() == STATIQ_VERSION_MAJOR;
    const bool one_network = nodes_seen_by_two() == shared_network::nodes.data() &&
                             network_seen_by_two() == typeid(statiq::deployed<shared_network>);
    return one_library && one_network ? 0 : 1;
}
