# SPDX-License-Identifier: Apache-2.0
# Armv7E-M with double-precision floating point.
set(processor_flags "-mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=hard")
set(board mps2-an500)
include(${CMAKE_CURRENT_LIST_DIR}/cortex_m.cmake)
