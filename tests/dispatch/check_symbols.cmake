# SPDX-License-Identifier: Apache-2.0
# cmake -Dnm= -Darchive= -Dprefix= -P check_symbols.cmake
# A dispatched library defines one function for each variant and the list of them, and nothing a linker could merge
# with anyone else's.
execute_process(COMMAND ${nm} --extern-only --defined-only --format=posix ${archive}
    OUTPUT_VARIABLE symbols RESULT_VARIABLE failed)
if(failed)
    message(FATAL_ERROR "${nm} cannot read ${archive}")
endif()
string(REPLACE "\n" ";" symbols "${symbols}")
set(found 0)
foreach(line IN LISTS symbols)
    if(line MATCHES "^([^ ]+) ([A-Za-z]) ")
        set(name ${CMAKE_MATCH_1})
        set(kind ${CMAKE_MATCH_2})
        if(name MATCHES "^${prefix}_[a-z0-9_]+$" AND kind MATCHES "[TDR]")
            math(EXPR found "${found} + 1")
        # The list's own object is compiled for every machine; AddressSanitizer marks what it has watched.
        elseif(NOT name MATCHES "^(_ZN6statiq8supports|__odr_asan\\.)")
            message(SEND_ERROR "${archive} defines ${name} (${kind}), which the linker may merge")
        endif()
    endif()
endforeach()
if(NOT found EQUAL expected)
    message(SEND_ERROR "${archive} defines ${found} symbols named ${prefix}_..., expected ${expected}")
endif()
