# SPDX-License-Identifier: Apache-2.0
"""OpenVINO: weights compressed by NNCF with inputs quantized at run time, and static int8 calibrated by NNCF.

The operators that are not int8 use the type that OpenVINO prefers for the CPU: bf16 if the CPU has instructions for it.
Static int8 is calibrated on images similar to the check's image, which favours it. SmoothQuant, on by default, is off: here
it lowers the agreement with the reference and gains no speed.
"""
import numpy as np

import vit_reference

NAME = "OpenVINO"
PACKAGE = "openvino"
PRECISIONS = ["int8, static", "int8, dynamic", "bf16", "f32"]
CALIBRATION_IMAGES = 10


def convert(model, precision, folder):
    import nncf
    import onnx
    import openvino
    import vit_onnx

    onnx.save(vit_onnx.build(model), folder / "model.onnx")
    made = openvino.convert_model(folder / "model.onnx")
    if precision == "int8, dynamic":
        made = nncf.compress_weights(made, mode=nncf.CompressWeightsMode.INT8_SYM)
    elif precision == "int8, static":
        made = quantize(made, model.calibration_images() or calibration_images(model.size))
    openvino.save_model(made, folder / "model.xml", compress_to_fp16=False)


def quantize(made, images):
    import nncf

    no_smoothing = nncf.AdvancedSmoothQuantParameters(matmul=-1)
    return nncf.quantize(made, nncf.Dataset(images), subset_size=len(images), model_type=nncf.ModelType.TRANSFORMER,
                         preset=nncf.QuantizationPreset.PERFORMANCE,
                         advanced_parameters=nncf.AdvancedQuantizationParameters(smooth_quant_alphas=no_smoothing))


def calibration_images(size):
    random = np.random.default_rng(2)
    pixels = random.integers(0, 256, (CALIBRATION_IMAGES, size, size, 3), np.uint8)
    return [vit_reference.normalize(image) for image in pixels]


def load(folder, precision, threads):
    import openvino

    options = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    if not precision.startswith("int8"):
        options["INFERENCE_PRECISION_HINT"] = precision
    request = openvino.compile_model(folder / "model.xml", "CPU", options).create_infer_request()
    return lambda image: request.infer({0: image})[0]
