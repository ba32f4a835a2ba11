#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build_and_run.sh <compiler> <source> <program>: what a user without CMake does.
set -eu
flags=$("$PKG_CONFIG" --cflags --libs statiq)
# shellcheck disable=SC2086
"$1" -std=c++20 $CXXFLAGS -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror "$2" $flags -o "$3"
"$3"
