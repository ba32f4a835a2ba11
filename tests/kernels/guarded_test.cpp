// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "../support/guarded.hpp"
#include <csignal>
#include <cstddef>
#include <sys/wait.h>
#include <unistd.h>

using support::guarded_vector;

namespace {

/// Whether a process that reads there lives on.
bool can_read(const volatile char* at) {
    const pid_t child = fork();
    if (child == 0) {
        std::signal(SIGSEGV, SIG_DFL); // not the test's own handler, which would report it
        (void)*at;
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace

TEST_CASE("guarded memory ends at a guard or begins at one, in turns") {
    for (const std::size_t size : {1U, 64U, 4096U, 10000U}) {
        const guarded_vector<char> one(size), other(size);
        for (const auto* values : {&one, &other}) {
            CHECK(can_read(values->data()));
            CHECK(can_read(values->data() + size - 1));
        }
        const bool one_at_end = !can_read(one.data() + size), other_at_end = !can_read(other.data() + size);
        CHECK((one_at_end || !can_read(one.data() - 1)));
        CHECK((other_at_end || !can_read(other.data() - 1)));
        CHECK((one_at_end || other_at_end));
    }
}
