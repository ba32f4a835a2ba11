# SPDX-License-Identifier: Apache-2.0
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/program.cpp "int main() {}\n")
file(WRITE ${CMAKE_CURRENT_SOURCE_DIR}/classifier.cpp "")
add_executable(program ${CMAKE_CURRENT_BINARY_DIR}/program.cpp)
