# SPDX-License-Identifier: Apache-2.0
"""The programs that the benchmarks compare with vitrine: one module each, with its pinned packages in the .txt next to it.

A module defines NAME; PACKAGE, whose version follows the name in tables; PRECISIONS, each of which starts with int8, fp16,
bf16 or f32; and

  CALIBRATED, optional: int8 calibrated on model.calibration_images(), for fidelity_peers.py only
  convert(model, precision, folder)   writes a vit_reference.Checkpoint into the empty folder in the program's format
  load(folder, precision, threads)    returns a function from an image f32 [1, 3, S, S] to the output

A module can be imported without its packages: only these functions import them.
"""
import importlib

ALL = ["onnxruntime", "litert", "openvino", "executorch", "ncnn"]


def load(name):
    return importlib.import_module("peers." + name)
