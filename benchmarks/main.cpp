// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "peak.hpp"
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <unistd.h>

int main(int argc, char** argv) {
    // oneDNN's OpenMP reads its environment before main. Threads that wander between cores make peers look slow, and so
    // does a second thread where one is timed.
    if (std::getenv("OMP_PROC_BIND") == nullptr) {
        setenv("OMP_PROC_BIND", "true", 1);
        execv("/proc/self/exe", argv); // returns only where it could not
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::AddCustomContext("peak of int8, GMAC/s", std::to_string(benchmarks::peak_of_integers()));
    benchmark::AddCustomContext("peak of float32, GMAC/s", std::to_string(benchmarks::peak_of_floats()));
    benchmark::AddCustomContext("compiler", __VERSION__);
    try {
        benchmark::RunSpecifiedBenchmarks();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    benchmark::Shutdown();
}
