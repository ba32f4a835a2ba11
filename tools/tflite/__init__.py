# SPDX-License-Identifier: Apache-2.0
"""From a TensorFlow Lite graph to a statiq network: a header and a file of parameters.

Each module is one step, and reads what the one before made:

model       the TensorFlow Lite graph as the steps know it (made by flatbuffer or by golden)
lower       operators to statiq's layers (nodes): shapes, padding, numbers, parameters in statiq's layout
compose     the layers' graph as chains and joins
name        blocks, and names for layers
formats     number types
share       structures that repeat, as functions with parameters
header      the C++ text, one layer's by layer
parameters  the contents of the safetensors file
"""
