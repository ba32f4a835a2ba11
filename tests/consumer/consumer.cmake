# SPDX-License-Identifier: Apache-2.0
# The part every consumer shares: one strict program that links statiq and nothing else.
add_executable(consumer ${CMAKE_CURRENT_LIST_DIR}/main.cpp)
target_link_libraries(consumer PRIVATE statiq::statiq)
target_compile_options(consumer PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror)

# A build that uses statiq gets none of its tests, and nothing to install.
if(TARGET tests_main OR TARGET statiq_development)
    message(FATAL_ERROR "statiq's own development targets are part of this build")
endif()
