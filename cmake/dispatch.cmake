# SPDX-License-Identifier: Apache-2.0
# statiq_add_dispatched_library(<target> SOURCES <source>... INSTRUCTION_SETS <set>... [LINK_LIBRARIES <library>...])
# A static library that holds the sources compiled once for each instruction set, best first: avx512_vnni, avx512,
# avx_vnni, avx2 (with FMA), sse4_1, sse2. docs/building.md shows its use. For x86-64 ELF systems with GNU binutils.
#
# The danger is the linker's: inline functions and templates, of any library, are compiled into every object that uses
# them, and it keeps whichever copy it likes, perhaps one with instructions that this machine has not. So each variant's
# objects become one, in which every symbol but its table's is local. What the variants share is what they call in other
# libraries, which is compiled once.
set(STATIQ_DISPATCH_DIR ${CMAKE_CURRENT_LIST_DIR} CACHE INTERNAL "")

function(statiq_add_dispatched_library target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;INSTRUCTION_SETS;LINK_LIBRARIES")
    if(NOT arg_SOURCES OR NOT arg_INSTRUCTION_SETS OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "statiq_add_dispatched_library(${target}): expected SOURCES and INSTRUCTION_SETS, got "
            "'${ARGN}'")
    endif()
    set(options_sse2 "")
    set(options_sse4_1 -msse4.1)
    set(options_avx2 -mavx2 -mfma)
    set(options_avx_vnni ${options_avx2} -mavxvnni)
    set(options_avx512 ${options_avx2} -mavx512f -mavx512cd -mavx512dq -mavx512bw -mavx512vl)
    set(options_avx512_vnni ${options_avx512} -mavx512vnni)

    # The linker that CMake has found may be another, which keeps groups of sections.
    find_program(STATIQ_GNU_LINKER ld.bfd REQUIRED)
    find_program(STATIQ_GNU_OBJCOPY objcopy REQUIRED)
    find_program(STATIQ_GNU_OBJDUMP objdump REQUIRED)
    mark_as_advanced(STATIQ_GNU_LINKER STATIQ_GNU_OBJCOPY STATIQ_GNU_OBJDUMP)
    string(TOUPPER "${CMAKE_BUILD_TYPE}" configuration)
    set(flags "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${configuration}}")
    set(objects "")
    set(declarations "")
    set(entries "")
    foreach(set IN LISTS arg_INSTRUCTION_SETS)
        if(NOT DEFINED options_${set})
            message(FATAL_ERROR "statiq_add_dispatched_library(${target}): no instruction set '${set}'; there are "
                "avx512_vnni, avx512, avx_vnni, avx2, sse4_1, sse2")
        endif()
        set(variant ${target}_${set})
        add_library(${variant} OBJECT ${arg_SOURCES})
        target_link_libraries(${variant} PRIVATE statiq::statiq ${arg_LINK_LIBRARIES})
        target_compile_definitions(${variant} PRIVATE STATIQ_VARIANT=${variant})
        # What the project's own flags name is taken back first. Unique symbols could not be made local; link-time code
        # cannot be looked into.
        target_compile_options(${variant} PRIVATE -march=x86-64 -mno-sse3 ${options_${set}} -fno-lto
            -fvisibility=hidden $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
        set_target_properties(${variant} PROPERTIES POSITION_INDEPENDENT_CODE ON)
        set(object ${CMAKE_CURRENT_BINARY_DIR}/${variant}.o)
        add_custom_command(OUTPUT ${object}
            COMMAND ${CMAKE_COMMAND} -Dlinker=${STATIQ_GNU_LINKER} -Dobjcopy=${STATIQ_GNU_OBJCOPY}
                -Dobjdump=${STATIQ_GNU_OBJDUMP} -Dsymbol=${variant} -Doutput=${object} "-Dobjects=$<JOIN:$<TARGET_OBJECTS:${variant}>,|>"
                "-Dflags=${flags}"
                -P ${STATIQ_DISPATCH_DIR}/localize_variant.cmake
            DEPENDS $<TARGET_OBJECTS:${variant}> ${STATIQ_DISPATCH_DIR}/localize_variant.cmake
            COMMAND_EXPAND_LISTS VERBATIM)
        list(APPEND objects ${object})
        string(APPEND declarations "extern \"C\" const void* ${variant}() noexcept;\n")
        string(APPEND entries "    {\"${set}\", &statiq::supports::${set}, &${variant}},\n")
    endforeach()

    list(LENGTH arg_INSTRUCTION_SETS count)
    file(CONFIGURE OUTPUT ${target}_variants.cpp @ONLY CONTENT [[
#include <statiq/execute/dispatch.hpp>
@declarations@
namespace {
constexpr statiq::variant variants[] = {
@entries@};
}
extern "C" {
extern const statiq::variant_list @target@_variants;
}
constinit const statiq::variant_list @target@_variants{variants, @count@};
]])
    add_library(${target} STATIC ${CMAKE_CURRENT_BINARY_DIR}/${target}_variants.cpp ${objects})
    set_source_files_properties(${objects} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
    target_link_libraries(${target} PUBLIC statiq::statiq PRIVATE ${arg_LINK_LIBRARIES})
endfunction()
