// SPDX-License-Identifier: Apache-2.0
// rejects with: -fno-exceptions
// rejects: fatal error: .?statiq throws here: compile with exceptions, or include only what runs a network
#ifdef STATIQ_REJECT
#include <statiq/calibrate/calibrate.hpp>
#endif
