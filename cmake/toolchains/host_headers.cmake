# SPDX-License-Identifier: Apache-2.0
# The dependencies are headers for any processor, but stand in /usr/include beside this machine's own system headers, which
# a cross compiler must not see. So they are linked into a folder of their own.
if(NOT STATIQ_HOST_HEADERS)
    set(STATIQ_HOST_HEADERS ${CMAKE_BINARY_DIR}/host-headers)
    file(MAKE_DIRECTORY ${STATIQ_HOST_HEADERS})
    foreach(library boost xsimd nlohmann CLI doctest)
        file(CREATE_LINK /usr/include/${library} ${STATIQ_HOST_HEADERS}/${library} SYMBOLIC)
    endforeach()
endif()
