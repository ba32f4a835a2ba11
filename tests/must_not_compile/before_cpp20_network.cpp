// SPDX-License-Identifier: Apache-2.0
// rejects with: -std=c++17
// rejects: fatal error: .?statiq needs C\+\+20: compile with -std=c\+\+20
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
