// SPDX-License-Identifier: Apache-2.0
#include "peak.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace benchmarks {
namespace {

#if defined(__x86_64__)

// Whole loops in assembly: nothing that a compiler does to accumulators can change what is measured. Twelve independent
// sums hide the latency (5 cycles, two a cycle). Registers are zeroed first: stale denormals would slow the floats.
#define STATIQ_ACCUMULATORS "0,1,2,3,4,5,6,7,8,9,10,11"
#define STATIQ_CLOBBERED                                                                                               \
    "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",   \
        "xmm13", "xmm14", "xmm15"
#define STATIQ_LOOP(body)                                                                                              \
    asm volatile(".irp r," STATIQ_ACCUMULATORS ",12,13,14,15\n vpxor %%ymm\\r, %%ymm\\r, %%ymm\\r\n .endr\n"           \
                 "1:\n .irp r," STATIQ_ACCUMULATORS "\n" body ".endr\n dec %0\n jnz 1b\n vzeroupper\n"                 \
                 : "+r"(rounds)                                                                                        \
                 :                                                                                                     \
                 : STATIQ_CLOBBERED)

constexpr long accumulators = 12;

void vpdpbusd_zmm(long rounds) { STATIQ_LOOP("vpdpbusd %%zmm14, %%zmm15, %%zmm\\r\n"); }
void vpdpbusd_ymm_evex(long rounds) { STATIQ_LOOP("%{evex%} vpdpbusd %%ymm14, %%ymm15, %%ymm\\r\n"); }
void vpdpbusd_ymm_vex(long rounds) { STATIQ_LOOP("%{vex%} vpdpbusd %%ymm14, %%ymm15, %%ymm\\r\n"); }
void maddubs_zmm(long rounds) {
    STATIQ_LOOP("vpmaddubsw %%zmm14, %%zmm15, %%zmm13\n vpmaddwd %%zmm12, %%zmm13, %%zmm13\n"
                "vpaddd %%zmm13, %%zmm\\r, %%zmm\\r\n");
}
void maddubs_ymm(long rounds) {
    STATIQ_LOOP("vpmaddubsw %%ymm14, %%ymm15, %%ymm13\n vpmaddwd %%ymm12, %%ymm13, %%ymm13\n"
                "vpaddd %%ymm13, %%ymm\\r, %%ymm\\r\n");
}
void fma_zmm(long rounds) { STATIQ_LOOP("vfmadd231ps %%zmm14, %%zmm15, %%zmm\\r\n"); }
void fma_ymm(long rounds) { STATIQ_LOOP("vfmadd231ps %%ymm14, %%ymm15, %%ymm\\r\n"); }

bool has_avx512_vnni() { return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl"); }
bool has_avx512() { return __builtin_cpu_supports("avx512bw"); }
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx_vnni() {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    constexpr unsigned avx_vnni = 1U << 4U;
    return has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & avx_vnni) != 0;
}

constexpr std::array known{
    dot_product{"vpdpbusd_zmm", false, has_avx512_vnni, accumulators * 64, vpdpbusd_zmm},
    dot_product{"vpdpbusd_ymm_evex", false, has_avx512_vnni, accumulators * 32, vpdpbusd_ymm_evex},
    dot_product{"vpdpbusd_ymm_vex", false, has_avx_vnni, accumulators * 32, vpdpbusd_ymm_vex},
    dot_product{"vpmaddubsw_zmm", false, has_avx512, accumulators * 64, maddubs_zmm},
    dot_product{"vpmaddubsw_ymm", false, has_avx2, accumulators * 32, maddubs_ymm},
    dot_product{"vfmadd231ps_zmm", true, has_avx512, accumulators * 16, fma_zmm},
    dot_product{"vfmadd231ps_ymm", true, has_avx2, accumulators * 8, fma_ymm},
};

#else
constexpr std::array<dot_product, 0> known{};
#endif

double measured(bool floating) {
    using clock = std::chrono::steady_clock;
    constexpr int runs = 60;
    constexpr long rounds = 20'000;
    for (const dot_product& way : known) {
        if (way.floating != floating || !way.available()) continue;
        double best = 0;
        for (int i = 0; i < runs; ++i) {
            const auto start = clock::now();
            way.run(rounds);
            const std::chrono::duration<double, std::nano> time = clock::now() - start;
            best = std::max(best, static_cast<double>(way.products_in_a_round * rounds) / time.count());
        }
        return best;
    }
    return 0;
}

const bool registered = [] {
    for (const dot_product& way : known) {
        if (!way.available()) continue;
        benchmark::RegisterBenchmark((std::string("peak/") + way.name).c_str(), [&way](benchmark::State& state) {
            constexpr long rounds = 20'000;
            for ([[maybe_unused]] auto _ : state) way.run(rounds);
            state.counters["GMAC/s"] = benchmark::Counter(static_cast<double>(way.products_in_a_round * rounds) * 1e-9,
                                                          benchmark::Counter::kIsIterationInvariantRate);
        });
    }
    return true;
}();

} // namespace

std::span<const dot_product> dot_products() { return known; }

double peak_of_integers() {
    static const double peak = measured(false);
    return peak;
}
double peak_of_floats() {
    static const double peak = measured(true);
    return peak;
}

} // namespace benchmarks
