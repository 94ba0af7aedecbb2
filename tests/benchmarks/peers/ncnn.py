# SPDX-License-Identifier: Apache-2.0
"""ncnn, converted by its pnnx: int8 as written by ncnn2int8 (ncnn_int8.py), bf16 storage, and f32."""
import importlib.util
import subprocess
from pathlib import Path

NAME = "ncnn"
PACKAGE = "ncnn"
PRECISIONS = ["int8", "bf16", "f32"]


def convert(model, precision, folder):
    import onnx
    import vit_onnx
    from peers import ncnn_int8

    onnx.save(vit_onnx.build(model), folder / "model.onnx")
    pnnx = Path(importlib.util.find_spec("pnnx").origin).with_name("pnnx")
    subprocess.run([pnnx, "model.onnx", f"inputshape=[1,3,{model.size},{model.size}]", "fp16=0"], check=True, cwd=folder)
    if precision == "int8":
        ncnn_int8.quantize(folder / "model.ncnn.param", folder / "model.ncnn.bin")


def load(folder, precision, threads):
    import ncnn
    import numpy as np

    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = precision == "bf16"
    if net.load_param(str(folder / "model.ncnn.param")) or net.load_model(str(folder / "model.ncnn.bin")):
        raise RuntimeError("ncnn refuses the model that pnnx has written")

    def infer(image):
        extractor = net.create_extractor()
        extractor.input("in0", ncnn.Mat(image[0]))
        status, output = extractor.extract("out0")
        if status:
            raise RuntimeError(f"ncnn's extract returned {status}")
        return np.array(output)
    return infer
