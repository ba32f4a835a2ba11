# SPDX-License-Identifier: Apache-2.0
# 32-bit ARM.
set(triple arm-linux-gnueabihf)
set(processor armv7l)
set(emulator qemu-arm)
include(${CMAKE_CURRENT_LIST_DIR}/debian_linux.cmake)
