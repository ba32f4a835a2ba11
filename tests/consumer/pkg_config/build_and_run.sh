#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build_and_run.sh <compiler> <program> <source> <package> [<flag>...]: what a user without CMake does. The package names
# the language.
set -eu
compiler=$1 program=$2 source=$3 package=$4
shift 4
flags=$("$PKG_CONFIG" --cflags --libs "$package")
case " $flags " in
*" -std=c++20 "*) ;;
*) echo "pkg-config does not name C++20: $flags" && exit 1 ;;
esac
# shellcheck disable=SC2086
"$compiler" $CXXFLAGS -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror "$@" "$source" $flags \
    -o "$program"
"$program"
