# SPDX-License-Identifier: Apache-2.0
"""Reads .tflite files, with code that Debian's flatc makes of schema.fbs."""

import importlib
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np

from .model import ConversionError, Graph, Operator, Quantization, Tensor

SCHEMA = pathlib.Path(__file__).parent / "schema.fbs"
IDENTIFIER = b"TFL3"
CONSTANTS = {
    "FLOAT32": "<f4",
    "FLOAT16": "<f2",
    "INT64": "<i8",
    "INT32": "<i4",
    "INT16": "<i2",
    "INT8": "i1",
    "UINT8": "u1",
}
# What damaged bytes make the accessors raise.
DAMAGE = (struct.error, ValueError, IndexError, TypeError, AttributeError, OverflowError, MemoryError)


def accessors():
    """Return a function from a table's or an enumeration's name to the class flatc generates for it."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(["flatc", "--python", "-o", folder, str(SCHEMA)], check=True, capture_output=True, text=True)
        except FileNotFoundError:
            raise ConversionError("flatc is missing: install flatbuffers-compiler") from None
        except subprocess.CalledProcessError as error:
            raise ConversionError(f"flatc refused {SCHEMA}: {error.stdout}{error.stderr}") from None
        sys.path.insert(0, folder)
        try:
            names = [path.stem for path in pathlib.Path(folder, "tflite_model").glob("*.py")]
            modules = {name: importlib.import_module(f"tflite_model.{name}") for name in names}
        except ModuleNotFoundError as error:
            raise ConversionError(f"{error}: install python3-flatbuffers") from None
        finally:
            sys.path.remove(folder)
    return lambda name: getattr(modules[name], name)


def read(path):
    """Return the graph of a .tflite file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConversionError(f"cannot read {path}: {error.strerror}") from None
    if data[4:8] != IDENTIFIER:
        raise ConversionError(f"{path} is not a .tflite file: its bytes 4 to 7 are not {IDENTIFIER.decode()}")
    table = accessors()
    reader = _Reader(table)
    try:
        return reader.graph(data, path.name)
    except DAMAGE as error:
        raise ConversionError(f"{path} is damaged: {reader.part}: {error}") from None


class _Reader:
    def __init__(self, table):
        self.table = table
        self.part = "its header"  # what is being read
        self.types = self._names("TensorType")
        self.operators = self._names("BuiltinOperator")
        self.activations = self._names("ActivationFunctionType")
        self.paddings = self._names("Padding")
        self.options = self._names("BuiltinOptions")

    def _names(self, enumeration):
        values = vars(self.table(enumeration))
        return {value: name for name, value in values.items() if not name.startswith("_")}

    def graph(self, data, source):
        self.model = self.table("Model").GetRootAs(data)
        if self.model.Version() != 3:
            raise ConversionError(f"{source} has schema version {self.model.Version()}, not 3")
        if self.model.SubgraphsLength() != 1:
            raise ConversionError(f"{source} has {self.model.SubgraphsLength()} subgraphs, not one")
        main = self.model.Subgraphs(0)
        return Graph(
            source,
            [self._tensor(main.Tensors(i), i) for i in range(main.TensorsLength())],
            [self._operator(main.Operators(i), i) for i in range(main.OperatorsLength())],
            self._ends(main.InputsAsNumpy, "inputs"),
            self._ends(main.OutputsAsNumpy, "outputs"),
        )

    def _ends(self, read, what):
        self.part = f"the graph's {what}"
        return _integers(read())

    def _tensor(self, tensor, index):
        self.part = f"tensor {index}"
        dtype = self.types.get(tensor.Type(), f"type {tensor.Type()}")
        name = (tensor.Name() or b"").decode(errors="replace")
        self.part += f", '{name}'"
        shape = tuple(_integers(tensor.ShapeAsNumpy()))
        buffer = self.model.Buffers(_below(tensor.Buffer(), self.model.BuffersLength(), "buffer"))
        data = None
        if buffer.DataLength() > 0:
            data = buffer.DataAsNumpy()
            if dtype in CONSTANTS:
                data = data.view(CONSTANTS[dtype]).reshape(shape)
        return Tensor(index, name, dtype, shape, self._quantization(tensor.Quantization(), name), data)

    def _quantization(self, quantization, name):
        if quantization is None:
            return None
        if quantization.DetailsType() != 0:
            raise ConversionError(f"tensor '{name}' is quantized by other means than scale and zero point")
        if quantization.ScaleLength() == 0:
            return None
        scales = np.array(quantization.ScaleAsNumpy(), np.float32)
        zeros = np.zeros(len(scales), np.int64)
        if quantization.ZeroPointLength() > 0:
            zeros[:] = quantization.ZeroPointAsNumpy()
        return Quantization(scales, zeros, quantization.QuantizedDimension())

    def _operator(self, operator, index):
        self.part = f"operator {index}"
        codes = self.model.OperatorCodesLength()
        code = self.model.OperatorCodes(_below(operator.OpcodeIndex(), codes, "operator code"))
        number = max(code.DeprecatedBuiltinCode(), code.BuiltinCode())
        kind = self.operators.get(number, f"builtin operator {number}")
        if kind == "CUSTOM":
            kind = f"CUSTOM '{(code.CustomCode() or b'').decode(errors='replace')}'"
        self.part += f", {kind}"
        inputs = _integers(operator.InputsAsNumpy())
        outputs = _integers(operator.OutputsAsNumpy())
        return Operator(index, kind, inputs, outputs, self._options(operator))

    def _options(self, operator):
        if operator.BuiltinOptions() is None:
            return {}
        kind = self.options.get(operator.BuiltinOptionsType(), "NONE")
        if kind == "NONE":
            return {}
        table = self.table(kind)()
        table.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
        readers = {
            "Padding": ("padding", lambda value: self.paddings.get(value, f"padding {value}")),
            "StrideH": ("stride_h", int),
            "StrideW": ("stride_w", int),
            "DilationHFactor": ("dilation_h", int),
            "DilationWFactor": ("dilation_w", int),
            "DepthMultiplier": ("depth_multiplier", int),
            "FilterHeight": ("filter_h", int),
            "FilterWidth": ("filter_w", int),
            "FusedActivationFunction": (
                "fused_activation",
                lambda value: self.activations.get(value, f"activation {value}"),
            ),
            "WeightsFormat": ("weights_format", lambda value: "DEFAULT" if value == 0 else f"format {value}"),
            "Axis": ("axis", int),
            "Beta": ("beta", float),
        }
        return {name: read(getattr(table, field)()) for field, (name, read) in readers.items() if hasattr(table, field)}


def _integers(vector):
    """A vector's integers; an absent one reads as the number 0."""
    return [] if isinstance(vector, int) else [int(value) for value in vector]


def _below(index, count, what):
    if index >= count:
        raise ValueError(f"{what} {index} of {count}")
    return index
