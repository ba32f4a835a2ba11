#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Convert a TensorFlow Lite model to a statiq network.

Writes a C++ header with the network and a safetensors file with its parameters: the integers of a quantized model, for
statiq::load_integers<numbers>(path), or the floats of a float model, for statiq::load<network>(path). The file's
metadata says which layer makes which of the model's tensors: "tensor.<index>" is the layer's name.

Needs Debian's flatbuffers-compiler, python3-flatbuffers and python3-numpy.
"""

import argparse
import os
import pathlib
import re
import sys

sys.dont_write_bytecode = True  # leave no files beside the sources

from tflite import compose, golden, header, lower, name, parameters, safetensors
from tflite.model import ConversionError

KEYWORDS = set(
    "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class compl "
    "concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default "
    "delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long "
    "mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register "
    "reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch template "
    "this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t "
    "while xor xor_eq".split()
)
# What the header itself declares or names.
TAKEN = {*name.ROLES, *"sq std statiq weight activation signed_activation unsigned_activation numbers".split()}


def convert(graph, network, namespace, parameters_file):
    """Return the header's text and the parameter file's bytes."""
    nodes = lower.lower(graph)
    chain, names = name.name(nodes, compose.compose(nodes))
    text = header.header(graph, nodes, chain, network, namespace, parameters_file)
    tensors = parameters.parameters(nodes, names)
    return text, safetensors.dump(tensors, parameters.metadata(graph, network, nodes, names))


def write_all(files):
    """Write files (path to bytes) so that all appear whole or none does."""
    temporary = {path: path.with_name(f".{path.name}.{os.getpid()}.tmp") for path in files}
    for path in files:
        if path.is_dir():
            raise ConversionError(f"cannot write {path}: it is a folder")
    try:
        for path, content in files.items():
            temporary[path].write_bytes(content)
        for path in files:
            os.replace(temporary[path], path)
    except OSError as error:
        raise ConversionError(f"cannot write {error.filename}: {error.strerror}") from None
    finally:
        for path in temporary.values():
            path.unlink(missing_ok=True)


def identifier(value):
    possible = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", value) and "__" not in value
    if not possible or value in KEYWORDS | TAKEN or re.search(r"_weight$|^branch\d+$", value):
        raise argparse.ArgumentTypeError(f"'{value}' cannot name a network in C++")
    return value


def qualified(value):
    for word in value.split("::"):
        identifier(word)
    return value


def arguments(argv):
    description, _, details = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=details, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("model", nargs="?", type=pathlib.Path, metavar="MODEL.tflite", help="the model")
    source.add_argument(
        "--golden", type=pathlib.Path, metavar="FOLDER", help="or a folder of test vectors (tools/tflite/golden.py)"
    )
    parser.add_argument("--name", required=True, type=identifier, help="the network's name in C++")
    parser.add_argument("--namespace", type=qualified, help="the header's namespace; the network's name unless given")
    parser.add_argument("--header", required=True, type=pathlib.Path, metavar="OUT.hpp", help="the header to write")
    parser.add_argument(
        "--integers", required=True, type=pathlib.Path, metavar="OUT.safetensors", help="the parameter file to write"
    )
    return parser.parse_args(argv)


def main(argv=None):
    options = arguments(argv)
    try:
        if options.header.resolve() == options.integers.resolve():
            raise ConversionError(f"the header and the integers are both to be {options.header}")
        if options.golden is not None:
            graph = golden.read(options.golden)
        else:
            from tflite import flatbuffer

            graph = flatbuffer.read(options.model)
        namespace = options.namespace or options.name
        text, content = convert(graph, options.name, namespace, options.integers.name)
        write_all({options.header: text.encode(), options.integers: content})
    except ConversionError as error:
        print(f"convert_tflite: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
