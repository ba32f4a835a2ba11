// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

/// The version of statiq, semantic: major.minor.patch. Below 1.0 a new minor version may change the interface.
/// The build system, the package files and the documentation read it from here.
#define STATIQ_VERSION_MAJOR 0
#define STATIQ_VERSION_MINOR 1
#define STATIQ_VERSION_PATCH 0
