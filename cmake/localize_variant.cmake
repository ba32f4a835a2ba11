# SPDX-License-Identifier: Apache-2.0
# cmake -Dlinker= -Dobjcopy= -Dobjdump= -Dobjects= -Doutput= -Dsymbol= -Dflags= -P localize_variant.cmake
# Merges objects into one whose only global definition is `symbol`. Groups of sections are dissolved first: by their
# names the linker would still throw one variant's copy away in favour of another's.
function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE failed OUTPUT_VARIABLE text ERROR_VARIABLE text)
    if(failed)
        list(JOIN ARGN " " command)
        message(FATAL_ERROR "${command}: ${failed}\n${text}")
    endif()
    set(text "${text}" PARENT_SCOPE)
endfunction()

string(REPLACE "|" ";" objects "${objects}") # a list would be split where the script is called
run(${linker} -r --force-group-allocation -o ${output}.whole ${objects})
# Code that runs before main would run for every instruction set. (Sanitizers add some, which uses none.)
run(${objdump} -h ${output}.whole)
if(text MATCHES "\\.(init_array|ctors)" AND NOT flags MATCHES "-fsanitize")
    message(FATAL_ERROR "${symbol}: a source has variables that are initialized at the program's start, which runs code "
        "of every instruction set. Make them constinit, or local to functions.")
endif()
run(${objcopy} --keep-global-symbol=${symbol} ${output}.whole ${output})
file(REMOVE ${output}.whole)
