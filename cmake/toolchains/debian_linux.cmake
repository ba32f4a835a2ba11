# SPDX-License-Identifier: Apache-2.0
# Linux on another processor with Debian's cross compiler (g++-<triple>), its programs run by qemu-user. Included by the
# toolchain files, which name `triple`, `processor` and `emulator`.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${processor})
set(CMAKE_CXX_COMPILER ${triple}-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR ${emulator} -L /usr/${triple})
include(${CMAKE_CURRENT_LIST_DIR}/host_headers.cmake)
