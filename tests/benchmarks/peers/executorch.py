# SPDX-License-Identifier: Apache-2.0
"""ExecuTorch with the XNNPACK delegate: torchao's int8 weights per output channel and int8 activations per token.

Uses torchao's quantize_ instead of pt2e: it is faster because it gives the delegate fewer and larger partitions.
"""
NAME = "ExecuTorch"
PACKAGE = "executorch"
PRECISIONS = ["int8", "f32"]


def convert(model, precision, folder):
    import torch
    import vit_torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    vit, image = vit_torch.build(model)
    if precision == "int8":
        quantize(vit)
    exported = torch.export.export(vit, (image,))
    lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
    (folder / "model.pte").write_bytes(lowered.to_executorch().buffer)


def quantize(vit):
    import torch
    from torchao.quantization import Int8DynamicActivationIntxWeightConfig, PerAxis, quantize_

    quantize_(vit, Int8DynamicActivationIntxWeightConfig(weight_dtype=torch.int8, weight_granularity=PerAxis(0)))


def load(folder, precision, threads):
    import torch
    from executorch.extension.pybindings.portable_lib import _unsafe_reset_threadpool
    from executorch.runtime import Runtime

    _unsafe_reset_threadpool(threads)
    program = Runtime.get().load_program(folder / "model.pte")  # infer keeps it alive: the method reads from it
    method = program.load_method("forward")

    def infer(image, program=program):
        return method.execute((torch.from_numpy(image),))[0].numpy()
    return infer
