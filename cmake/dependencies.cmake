# SPDX-License-Identifier: Apache-2.0
# Every dependency is looked for on the machine first; without it, the release that the tests run with is fetched.
include(FetchContent)

# statiq_find_headers(<target> <package> [VERSION <least>] REPOSITORY <url> TAG <tag> INCLUDE <folder> [OPTIONAL])
# Provides the header-only library <target> to the whole build, for consumers a SYSTEM library (its warnings are not
# ours). OPTIONAL: not fetched where it is not found. A fetched library's own build is not run: its headers are used where they lie, and the name it is fetched under
# keeps a later find_package(<package>) of the user's own from being answered with it.
function(statiq_find_headers target package)
    if(TARGET ${target})
        return()
    endif()
    if(STATIQ_HOST_HEADERS) # a cross build: see cmake/toolchains
        add_library(${target} INTERFACE IMPORTED GLOBAL)
        target_include_directories(${target} INTERFACE ${STATIQ_HOST_HEADERS})
        return()
    endif()
    cmake_parse_arguments(PARSE_ARGV 2 arg "OPTIONAL" "VERSION;REPOSITORY;TAG;INCLUDE" "")
    find_package(${package} ${arg_VERSION} CONFIG QUIET GLOBAL)
    if(TARGET ${target} OR arg_OPTIONAL)
        return()
    endif()
    FetchContent_Declare(statiq_${package}
        GIT_REPOSITORY ${arg_REPOSITORY} GIT_TAG ${arg_TAG} GIT_SHALLOW ON
        SOURCE_SUBDIR headers-only)
    FetchContent_MakeAvailable(statiq_${package})
    FetchContent_GetProperties(statiq_${package} SOURCE_DIR fetched)
    add_library(${target} INTERFACE IMPORTED GLOBAL)
    target_include_directories(${target} INTERFACE ${fetched}/${arg_INCLUDE})
endfunction()

statiq_find_headers(Boost::headers Boost VERSION 1.74 INCLUDE include
    REPOSITORY https://github.com/boostorg/hana.git TAG boost-1.74.0)
set(optional "")
if(STATIQ_INFERENCE_ONLY)
    set(optional OPTIONAL) # the scalar code needs no xsimd
endif()
# No least version for xsimd (8.1 is the oldest that serves): its package refuses every other major version.
statiq_find_headers(xsimd xsimd ${optional} INCLUDE include
    REPOSITORY https://github.com/xtensor-stack/xsimd.git TAG 8.1.0)
if(NOT STATIQ_INFERENCE_ONLY)
    statiq_find_headers(nlohmann_json::nlohmann_json nlohmann_json VERSION 3.11 INCLUDE include
        REPOSITORY https://github.com/nlohmann/json.git TAG v3.11.2)
endif()

include(${CMAKE_CURRENT_LIST_DIR}/xsimd_headers.cmake)
