# SPDX-License-Identifier: Apache-2.0
# 32-bit x86: without SSE2, if no flag says so.
set(triple i686-linux-gnu)
set(processor i686)
set(emulator qemu-i386)
include(${CMAKE_CURRENT_LIST_DIR}/debian_linux.cmake)
