# SPDX-License-Identifier: Apache-2.0
# Windows with Debian's g++-mingw-w64-x86-64. Programs are linked statically, and run where wine is installed.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR AMD64)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
find_program(wine wine)
if(wine)
    set(CMAKE_CROSSCOMPILING_EMULATOR ${wine})
endif()
include(${CMAKE_CURRENT_LIST_DIR}/host_headers.cmake)
