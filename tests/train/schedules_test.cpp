// SPDX-License-Identifier: Apache-2.0
#include <statiq/train/schedules.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>

using namespace statiq;

TEST_CASE("step decay multiplies by its factor every so many steps") {
    const schedule rate = step_decay{.rate = 0.5, .every = 10, .factor = 0.5};
    for (const auto& [step, expected] :
         {std::pair{0, 0.5}, {9, 0.5}, {10, 0.25}, {19, 0.25}, {20, 0.125}, {35, 0.0625}})
        CHECK(rate(static_cast<std::uint64_t>(step)) == expected);
}

TEST_CASE("a cosine falls from the rate to the last, slowest at its ends") {
    const schedule rate = cosine_decay{.rate = 1, .steps = 300, .last = 0.25};
    CHECK(rate(0) == 1);
    CHECK(rate(100) == doctest::Approx(0.25 + 0.75 * 0.75)); // cos 60 degrees = 1/2
    CHECK(rate(150) == doctest::Approx(0.625));
    CHECK(rate(200) == doctest::Approx(0.25 + 0.75 * 0.25));
    CHECK(rate(300) == doctest::Approx(0.25));
    CHECK(rate(1000) == rate(300));
    for (std::uint64_t step = 0; step < 300; ++step) CHECK(rate(step + 1) < rate(step));
}

TEST_CASE("a warm-up grows to the rate that another schedule begins with, then is that schedule") {
    const schedule after = cosine_decay{.rate = 0.8, .steps = 50};
    const schedule rate = warm_up{.steps = 4, .then = after};
    CHECK(rate(0) == doctest::Approx(0.2));
    CHECK(rate(1) == doctest::Approx(0.4));
    CHECK(rate(3) == 0.8);
    for (std::uint64_t step = 0; step < 60; ++step) CHECK(rate(4 + step) == after(step));
    CHECK(schedule(warm_up{.steps = 0, .then = constant_rate{3}})(0) == 3);
    CHECK(schedule(warm_up{.steps = 2, .then = warm_up{.steps = 2, .then = constant_rate{8}}})(0) == 2);
}
