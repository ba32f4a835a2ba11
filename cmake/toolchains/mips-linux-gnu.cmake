# SPDX-License-Identifier: Apache-2.0
# 32-bit MIPS: big-endian.
set(triple mips-linux-gnu)
set(processor mips)
set(emulator qemu-mips)
include(${CMAKE_CURRENT_LIST_DIR}/debian_linux.cmake)
