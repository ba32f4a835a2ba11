// SPDX-License-Identifier: Apache-2.0
#include <statiq/statiq.hpp>

int major_version_seen_by_two();

int major_version_seen_by_two() { return STATIQ_VERSION_MAJOR; }
