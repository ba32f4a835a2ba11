# SPDX-License-Identifier: Apache-2.0
# Debian's target xsimd links a library xtl that neither exists nor is needed. statiq::xsimd is its headers alone.
if(NOT TARGET statiq::xsimd)
    add_library(statiq::xsimd INTERFACE IMPORTED GLOBAL)
    get_target_property(xsimd_headers xsimd INTERFACE_INCLUDE_DIRECTORIES)
    target_include_directories(statiq::xsimd INTERFACE ${xsimd_headers})
endif()
