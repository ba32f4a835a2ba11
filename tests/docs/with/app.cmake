# SPDX-License-Identifier: Apache-2.0
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/app.cpp "int main() {}\n")
add_executable(app ${CMAKE_CURRENT_BINARY_DIR}/app.cpp)
