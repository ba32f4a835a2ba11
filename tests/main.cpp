// SPDX-License-Identifier: Apache-2.0
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "support/data.hpp"

/// @return 77, which ctest reports as skipped, if no test failed and one was skipped for lack of data.
int main(int argc, char** argv) {
    const int result = doctest::Context(argc, argv).run();
    return result == 0 && test_data::skipped ? 77 : result;
}
