# SPDX-License-Identifier: Apache-2.0
file(REMOVE_RECURSE ${installed} ${moved})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${build} --prefix ${installed} COMMAND_ERROR_IS_FATAL ANY)
file(RENAME ${installed} ${moved})
