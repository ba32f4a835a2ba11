# SPDX-License-Identifier: Apache-2.0
# Armv6-M, without floating-point instructions. The board has a Cortex-M0, whose instructions are the same.
set(processor_flags "-mcpu=cortex-m0plus")
set(board microbit)
include(${CMAKE_CURRENT_LIST_DIR}/cortex_m.cmake)
