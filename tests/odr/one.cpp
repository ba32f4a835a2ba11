// SPDX-License-Identifier: Apache-2.0
#include <statiq/statiq.hpp>

int major_version_seen_by_two();

int main() { return major_version_seen_by_two() == STATIQ_VERSION_MAJOR ? 0 : 1; }
