# SPDX-License-Identifier: Apache-2.0
# Headers, a CMake package and a pkg-config file. Nothing depends on the machine or on the place: the tree can be moved.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/statiq)
set(pkgconfig_dir ${CMAKE_INSTALL_DATADIR}/pkgconfig)

install(TARGETS statiq_inference EXPORT statiq-inference-targets)
install(EXPORT statiq-inference-targets NAMESPACE statiq:: DESTINATION ${package_dir})
install(TARGETS statiq EXPORT statiq-targets FILE_SET HEADERS)
install(EXPORT statiq-targets NAMESPACE statiq:: DESTINATION ${package_dir})

# statiq::compiled depends on the machine. It is built where it is installed with the headers.
option(STATIQ_INSTALL_COMPILED "Build statiq::compiled, and install it as the package's component compiled" OFF)
if(STATIQ_INSTALL_COMPILED)
    set_target_properties(statiq_compiled statiq_kernels PROPERTIES EXCLUDE_FROM_ALL OFF)
    install(TARGETS statiq_compiled statiq_kernels EXPORT statiq-compiled-targets)
    install(EXPORT statiq-compiled-targets NAMESPACE statiq:: DESTINATION ${package_dir})
endif()

configure_package_config_file(cmake/statiq-config.cmake.in statiq-config.cmake INSTALL_DESTINATION ${package_dir}
    NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(statiq-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
    ${CMAKE_CURRENT_BINARY_DIR}/statiq-config.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/statiq-config-version.cmake
    cmake/dispatch.cmake
    cmake/localize_variant.cmake
    cmake/xsimd_headers.cmake
    DESTINATION ${package_dir})

cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
    BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}/${pkgconfig_dir} OUTPUT_VARIABLE prefix_from_pkgconfig)
# Boost has no pkg-config file of its own. (pkg-config leaves out folders that compilers search anyway.)
get_target_property(boost_includedir Boost::headers INTERFACE_INCLUDE_DIRECTORIES)
cmake_path(IS_PREFIX CMAKE_BINARY_DIR "${boost_includedir}" boost_is_fetched)
if(boost_is_fetched)
    set(boost_includedir "\${includedir}")
endif()
foreach(pc IN ITEMS statiq statiq-inference)
    configure_file(cmake/${pc}.pc.in ${pc}.pc @ONLY)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${pc}.pc DESTINATION ${pkgconfig_dir})
endforeach()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/statiq)
