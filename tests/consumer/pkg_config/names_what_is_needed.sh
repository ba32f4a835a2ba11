#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Where statiq's package files are alone: statiq-inference asks for no other package, and statiq names xsimd and JSON. Boost,
# which has no package file, is named by folder where compilers do not search it anyway.
set -eu
"$PKG_CONFIG" --cflags statiq-inference
"$PKG_CONFIG" --cflags --define-variable=boost_includedir=/opt/boost statiq-inference | grep -q -e '-I/opt/boost'
if missing=$("$PKG_CONFIG" --cflags statiq 2>&1); then
    echo "statiq was satisfied without xsimd and JSON" && exit 1
fi
echo "$missing" | grep -q "'xsimd', required by 'statiq'"
echo "$missing" | grep -q "'nlohmann_json', required by 'statiq'"
