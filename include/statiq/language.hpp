// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Every header of statiq includes this one before anything that needs C++20. An older language is told so in one
/// error, and the include of no file ends the compilation there: otherwise thousands of errors would follow.
#ifdef _MSVC_LANG
#define STATIQ_LANGUAGE _MSVC_LANG
#else
#define STATIQ_LANGUAGE __cplusplus
#endif
#if STATIQ_LANGUAGE < 202002L
#include <statiq needs C++20: compile with -std=c++20>
#endif
#undef STATIQ_LANGUAGE
