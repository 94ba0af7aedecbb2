# SPDX-License-Identifier: Apache-2.0
"""LiteRT with XNNPACK: litert-torch converts; ai-edge-quantizer writes dynamic-range int8 per channel."""

NAME = "LiteRT"
PACKAGE = "ai-edge-litert"
PRECISIONS = ["int8", "f32"]
CALIBRATED = ["int8, full integer"]


def convert(model, precision, folder):
    import litert_torch
    import vit_torch

    vit, image = vit_torch.build(model)
    path = str(folder / "model.tflite")
    litert_torch.convert(vit, (image,)).export(path)
    if precision == "int8":
        quantize(path)
    elif precision == "int8, full integer":
        quantize_with(path, model.calibration_images())


def quantize_with(path, images):
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import quantizer, recipe

    (signature, names), = Interpreter(path).get_signature_list().items()
    made = quantizer.Quantizer(path, recipe.static_wi8_ai8())
    ranges = made.calibrate({signature: [{names["inputs"][0]: image} for image in images]}, num_threads=2)
    made.quantize(ranges).export_model(path, overwrite=True)


def quantize(path):
    from ai_edge_quantizer import quantizer, recipe

    result = quantizer.Quantizer(path, recipe.dynamic_wi8_afp32()).quantize()
    result.export_model(path, overwrite=True)


def load(folder, precision, threads):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder / "model.tflite"), num_threads=threads)  # uses XNNPACK by default
    interpreter.allocate_tensors()
    image_index, output_index = (details()[0]["index"] for details in (interpreter.get_input_details,
                                                                      interpreter.get_output_details))

    def infer(image):
        interpreter.set_tensor(image_index, image)
        interpreter.invoke()
        return interpreter.get_tensor(output_index)
    return infer
