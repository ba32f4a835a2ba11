# SPDX-License-Identifier: Apache-2.0
# Writes a network's parameters, embeds them in both ways of the page, and compares what the programs compute.
$CXX -O1 "$WITH/embedding_write.cpp" -o write
./write > expected

read_embedded() { # <block of the page> <object>...: to the file found
    block=$1
    shift
    cp "$block" embedded.cpp
    $CXX -O1 -I. -I"$WITH" -c "$WITH/embedding_read.cpp" -o read.o
    $CXX read.o "$@" -o read
    ./read > found
    cmp expected found
}

read_embedded 1.cpp
. ./2.sh
read_embedded 3.cpp detector.o
echo "embedded in two ways; both compute $(cat expected)"
