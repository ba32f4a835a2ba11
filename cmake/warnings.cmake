# SPDX-License-Identifier: Apache-2.0
# What statiq's own tests, examples and benchmarks are compiled with. Nothing here reaches a user's build.
set(statiq_warnings -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow)
if(STATIQ_WARNINGS_AS_ERRORS)
    list(APPEND statiq_warnings -Werror)
endif()
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    set(statiq_warnings "")
endif()

add_library(statiq_development INTERFACE)
target_link_libraries(statiq_development INTERFACE statiq::statiq)
target_compile_options(statiq_development INTERFACE ${statiq_warnings})
