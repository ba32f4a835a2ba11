# SPDX-License-Identifier: Apache-2.0
# cmake -Dtools= -Dtoolchain= -Dflags= -Dheaders= -Dgenerator= -Dsource= -Dbuild= -Dstatiq= -P build_and_run.cmake
foreach(tool IN LISTS tools)
    find_program(found_${tool} ${tool})
    if(NOT found_${tool})
        message("skipped: ${tool} is not installed")
        return()
    endif()
endforeach()

file(REMOVE_RECURSE ${build})
execute_process(COMMAND ${CMAKE_COMMAND} -G ${generator} -S ${source} -B ${build} -DCMAKE_TOOLCHAIN_FILE=${toolchain}
        -DCMAKE_BUILD_TYPE=Release -DSTATIQ_SOURCE_DIR=${statiq} "-DSTATIQ_HOST_HEADERS=${headers}"
        "-DCMAKE_CXX_FLAGS_RELEASE=-O2 ${flags}"
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${build} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${build} --verbose COMMAND_ERROR_IS_FATAL ANY)
