# SPDX-License-Identifier: Apache-2.0
# A Cortex-M without an operating system, with Debian's gcc-arm-none-eabi and libstdc++-arm-none-eabi-newlib; programs run on
# a board that qemu-system-arm emulates, and print by semihosting. Included by the toolchain files, which name
# `processor_flags` and `board`.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_CXX_FLAGS_INIT "${processor_flags} -mthumb")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY) # a program needs a linker script
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-system-arm -M ${board} -nographic -monitor none -serial none
    -semihosting-config enable=on,target=native -kernel)
include(${CMAKE_CURRENT_LIST_DIR}/host_headers.cmake)
