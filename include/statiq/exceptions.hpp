// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

/// Headers that throw include this one. Without exceptions the include of no file ends the compilation with the reason.
#ifndef __cpp_exceptions
#include <statiq throws here: compile with exceptions, or include only what runs a network (statiq/execute)>
#endif
