# SPDX-License-Identifier: Apache-2.0
"""What vitrine is compared with: a module each, with its pinned packages in the .txt beside it.

A module has NAME; PACKAGE, whose version stands behind the name; PRECISIONS, which begin with int8, fp16, bf16 or f32; and

  CALIBRATED, where it has int8 that only fidelity_peers.py asks for, calibrated on model.calibration_images()
  convert(model, precision, folder)   writes a vit_reference.Checkpoint into the empty folder, as the program reads it
  load(folder, precision, threads)    a function from an image f32 [1, 3, S, S] to the output

It can be imported where its packages are missing: their imports stand in these functions.
"""
import importlib

ALL = ["onnxruntime", "litert", "openvino", "executorch", "ncnn"]


def load(name):
    return importlib.import_module("peers." + name)
