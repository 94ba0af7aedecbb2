# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime: dynamic int8 with one scale per output channel, of the original graph and of the fused graph.

"fused" is the output of ONNX Runtime's own optimizer script: Attention, BiasGelu, SkipLayerNormalization. The quantized
original graph is faster in our measurements: a session fuses more around MatMulInteger than after the script.
"""
import logging

NAME = "ONNX Runtime"
PACKAGE = "onnxruntime"
PRECISIONS = ["int8", "int8, fused", "f32", "f32, fused"]
CALIBRATED = ["int8, static"]


def convert(model, precision, folder):
    import onnx
    import vit_onnx

    path = str(folder / "model.onnx")
    onnx.save(vit_onnx.build(model), path)
    if precision.endswith("fused"):
        fuse(model, path)
    if precision == "int8, static":
        quantize_with(path, model.calibration_images())
    elif precision.startswith("int8"):
        quantize(path)


def quantize_with(path, images):
    """QDQ with the default set of quantized operators; ranges from the smallest to the largest value."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static, shape_inference

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.images = iter(images)

        def get_next(self):
            image = next(self.images, None)
            return None if image is None else {"image": image}

    shape_inference.quant_pre_process(path, path, skip_symbolic_shape=True)
    quantize_static(path, path, Reader(), quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QInt8,
                    weight_type=QuantType.QInt8)


def fuse(model, path):
    from onnxruntime.transformers import optimizer

    fused = optimizer.optimize_model(path, "vit", num_heads=model.heads, hidden_size=model.width, opt_level=0)
    counts = fused.get_fused_operator_statistics()
    expected = {"Attention": model.depth, "BiasGelu": model.depth, "SkipLayerNormalization": 2 * model.depth}
    for kind, count in expected.items():
        if counts.get(kind, 0) != count:
            raise RuntimeError(f"the optimizer fused {counts.get(kind, 0)} {kind}, expected {count}")
    fused.save_model_to_file(path)


def quantize(path):
    """Dynamic int8. The patch embedding stays f32: ConvInteger is slower."""
    from onnx import TensorProto
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.getLogger().setLevel(logging.ERROR)  # hides advice to run shape inference, which does not support fused operators
    quantize_dynamic(path, path, op_types_to_quantize=["MatMul", "Attention"], per_channel=True,
                     weight_type=QuantType.QInt8, extra_options={"DefaultTensorType": TensorProto.FLOAT})


def load(folder, precision, threads):
    """Returns a session with all graph optimizations."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.force_spinning_stop", "1")  # threads spin only during this program's turn
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    return lambda image: session.run(None, {"image": image})[0]
