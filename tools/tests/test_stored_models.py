#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Converts every stored .tflite file and every folder of test vectors, and runs what comes out.

STATIQ_DATA is the folder that has them (tflite/*.tflite, golden/*/graph.json); exit code 77 without it, or when a package
is missing. Every model is converted. With STATIQ_CXX, a compiler's command line that finds statiq's headers, the smallest
.tflite files whose graph one of the folders holds are compiled too, and give that folder's outputs and intermediate
tensors bit for bit; with STATIQ_CONVERTED=all, so are all others, and those without vectors are at least run.
"""

import importlib.util
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
DATA = pathlib.Path(os.environ.get("STATIQ_DATA") or HERE.parent.parent.parent / "shared" / "data")
absent = [package for package in ("flatbuffers", "numpy") if importlib.util.find_spec(package) is None]
absent += [program for program in ("flatc",) if shutil.which(program) is None]
absent += [str(DATA)] if not (DATA / "tflite").is_dir() and not (DATA / "golden").is_dir() else []
if absent:
    print("skipped: no", *absent)
    sys.exit(77)

import numpy as np

import convert_tflite
from tflite import flatbuffer, golden

COMPILED_BY_DEFAULT = 3


def name_of(path):
    return "model_" + "".join(c if c.isalnum() else "_" for c in path.stem).replace("__", "_")


def same_graph(one, other):
    """Whether two graphs have the same operators and constants under the same tensor indices."""

    def operators(graph):
        return [(operator.kind, operator.inputs, operator.outputs) for operator in graph.operators]

    def equal(a, b):
        if a.data is None or b.data is None:
            return a.data is b.data
        return a.data.size == b.data.size and np.array_equal(a.data.reshape(-1), b.data.reshape(-1))

    return operators(one) == operators(other) and all(map(equal, one.tensors, other.tensors))


class StoredModels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        cls.files = {path: flatbuffer.read(path) for path in sorted((DATA / "tflite").glob("*.tflite"))}
        folders = sorted(path.parent for path in (DATA / "golden").glob("*/graph.json"))
        cls.vectors = {path: golden.read(path) for path in folders}

    def convert(self, path, graph):
        name = name_of(path)
        text, content = convert_tflite.convert(graph, name, name, f"{name}.safetensors")
        (self.folder / f"{name}.hpp").write_text(text)
        (self.folder / f"{name}.safetensors").write_bytes(content)
        return text

    def run_converted(self, path, vectors):
        """Compiles what `path` was converted to, runs it, and returns what it says."""
        name = name_of(path)
        program = self.folder / name
        floats = "using numbers" not in (self.folder / f"{name}.hpp").read_text()
        command = [*shlex.split(os.environ["STATIQ_CXX"]), "-O1", f"-I{self.folder}"]
        command += [f'-DCONVERTED_HEADER="{name}.hpp"', f"-DCONVERTED={name}"] + ["-DCONVERTED_FLOATS"] * floats
        made = subprocess.run(
            [*command, str(HERE / "run_converted.cpp"), "-o", str(program)], capture_output=True, text=True
        )
        self.assertEqual((made.returncode, made.stderr), (0, ""), path.name)
        arguments = [f"{program}.safetensors"] + ([str(vectors)] if vectors else [])
        ran = subprocess.run([str(program), *arguments], capture_output=True, text=True)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""), f"{path.name}: {ran.stdout}")
        print(f"{path.name}: {ran.stdout.strip()}", flush=True)

    def test_every_model_is_converted(self):
        for path, graph in {**self.files, **self.vectors}.items():
            with self.subTest(path.name):
                self.assertIn("network", self.convert(path, graph))
        print(f"converted {len(self.files)} .tflite files and {len(self.vectors)} folders", flush=True)

    @unittest.skipUnless(os.environ.get("STATIQ_CXX"), "STATIQ_CXX is not set")
    def test_converted_models_give_the_stored_bits(self):
        matches = {
            path: next((folder for folder, other in self.vectors.items() if same_graph(graph, other)), None)
            for path, graph in self.files.items()
        }
        chosen = sorted((path for path in matches if matches[path]), key=lambda path: path.stat().st_size)
        if os.environ.get("STATIQ_CONVERTED") == "all":
            chosen += [path for path in matches if not matches[path]]
            paired = set(filter(None, matches.values()))
            for folder in self.vectors.keys() - paired:  # these were never a file here
                matches[folder] = folder
                chosen.append(folder)
        else:
            chosen = chosen[:COMPILED_BY_DEFAULT]
        for path in chosen:
            with self.subTest(path.name):
                self.convert(path, self.files.get(path) or self.vectors[path])
                self.run_converted(path, matches[path])


if __name__ == "__main__":
    unittest.main()
