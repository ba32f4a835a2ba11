# SPDX-License-Identifier: Apache-2.0
# Armv8.1-M with the vector extension (MVE).
set(processor_flags "-mcpu=cortex-m55 -mfloat-abi=hard")
set(board mps3-an547)
include(${CMAKE_CURRENT_LIST_DIR}/cortex_m.cmake)
