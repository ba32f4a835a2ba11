// SPDX-License-Identifier: Apache-2.0
// What a Cortex-M does from reset on. Output and exit go to the debugger (semihosting), which qemu is.
#include "digits.hpp"
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" {
extern std::uint32_t stack_top;
void initialise_monitor_handles(); // of newlib's semihosting
[[noreturn]] void reset();
}

namespace {

struct vector_table {
    const void* stack;
    void (*reset)();
    void (*faults[14])();
};

[[noreturn]] void fault() { std::_Exit(1); }

[[gnu::section(".vectors"), gnu::used]] const vector_table vectors{
    &stack_top, &reset, {&fault, &fault, &fault, &fault, &fault, &fault, &fault}};

} // namespace

void reset() {
#ifdef __ARM_FP
    // Coprocessors 10 and 11, the floating-point unit and the vector extension, are off at reset.
    auto& coprocessor_access = *reinterpret_cast<volatile std::uint32_t*>(0xE000'ED88);
    coprocessor_access = coprocessor_access | (0xFU << 20);
    asm volatile("dsb\nisb");
#endif
    initialise_monitor_handles();
    const int failed = recognise_digits();
    std::fflush(stdout);
    std::_Exit(failed);
}
