# SPDX-License-Identifier: Apache-2.0
# Debian's target xsimd links a library xtl that neither exists nor is needed. statiq::xsimd is its headers alone, or
# nothing where xsimd was not found: the scalar code does without.
if(NOT TARGET statiq::xsimd)
    add_library(statiq::xsimd INTERFACE IMPORTED GLOBAL)
    if(TARGET xsimd)
        get_target_property(xsimd_headers xsimd INTERFACE_INCLUDE_DIRECTORIES)
        target_include_directories(statiq::xsimd INTERFACE ${xsimd_headers})
    endif()
endif()
