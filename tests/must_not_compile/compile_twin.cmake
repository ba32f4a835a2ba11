# SPDX-License-Identifier: Apache-2.0
# cmake -Dcompiler= -Dflags= -Dincludes= -Dsource= -Dtwin=accept|reject -P compile_twin.cmake
separate_arguments(flags UNIX_COMMAND "${flags}")
list(REMOVE_DUPLICATES includes)
list(TRANSFORM includes PREPEND "-I")
# Users read what a mistake prints: it names the mistake, and is not buried.
set(most_lines 15)
set(most_characters 2000) # without the folders' names
if(twin STREQUAL "reject")
    list(APPEND flags -DSTATIQ_REJECT)
    file(STRINGS ${source} more_flags REGEX "^// rejects with: ")
    string(REGEX REPLACE "^// rejects with: " "" more_flags "${more_flags}")
    separate_arguments(more_flags UNIX_COMMAND "${more_flags}")
    list(APPEND flags ${more_flags})
endif()

# The C locale keeps the compiler to plain quotes; no message may be wrapped or coloured.
set(ENV{LC_ALL} C)
execute_process(
    COMMAND ${compiler} ${flags} ${includes} -fdiagnostics-color=never -fmessage-length=0 -fsyntax-only ${source}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)

if(twin STREQUAL "accept")
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "${source} must compile without STATIQ_REJECT:\n${output}")
    endif()
    return()
endif()

file(STRINGS ${source} expectations REGEX "^// rejects: ")
if(NOT expectations)
    message(FATAL_ERROR "${source} has no line `// rejects: <regular expression>`")
endif()
if(result EQUAL 0)
    message(FATAL_ERROR "${source} compiles with STATIQ_REJECT, and must not")
endif()
foreach(expectation IN LISTS expectations)
    string(REGEX REPLACE "^// rejects: " "" expectation "${expectation}")
    if(NOT output MATCHES "${expectation}")
        message(FATAL_ERROR "${source} is rejected, but not with '${expectation}':\n${output}")
    endif()
endforeach()

string(REGEX MATCHALL "\n" lines "${output}")
list(LENGTH lines lines)
string(REGEX REPLACE "[^ \n]*/" "" bare "${output}")
string(LENGTH "${bare}" characters)
if(lines GREATER most_lines OR characters GREATER most_characters)
    message(FATAL_ERROR "${source} is rejected in ${lines} lines of ${characters} characters together, where "
        "${most_lines} and ${most_characters} are allowed:\n${output}")
endif()
