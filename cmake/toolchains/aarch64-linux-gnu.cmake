# SPDX-License-Identifier: Apache-2.0
# 64-bit ARM with Debian's cross compiler (g++-aarch64-linux-gnu), its programs run by qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)

# The dependencies are headers for any processor, but stand in /usr/include beside this machine's own system headers.
set(STATIQ_HOST_HEADERS ${CMAKE_BINARY_DIR}/host-headers)
file(MAKE_DIRECTORY ${STATIQ_HOST_HEADERS})
foreach(library boost xsimd nlohmann CLI doctest)
    file(CREATE_LINK /usr/include/${library} ${STATIQ_HOST_HEADERS}/${library} SYMBOLIC)
endforeach()
