# SPDX-License-Identifier: Apache-2.0
# Armv7E-M with single-precision floating point.
set(processor_flags "-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard")
set(board mps2-an386)
include(${CMAKE_CURRENT_LIST_DIR}/cortex_m.cmake)
