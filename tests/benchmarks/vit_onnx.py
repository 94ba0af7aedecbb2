# SPDX-License-Identifier: Apache-2.0
"""Writes a timm ViT checkpoint as ONNX, without torch.

The graph matches an export of a Hugging Face ViT: three projections, Reshape, Transpose, MatMul, Div, Softmax. A packed qkv
projection computes the same function in the same time, but ONNX Runtime's optimizer script recognizes only this form.
"""
import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vit_reference import EPSILON


class Graph:
    """Nodes and constants, added in execution order; each call returns the name of the output."""

    def __init__(self):
        self.nodes, self.constants = [], {}

    def node(self, kind, *inputs, **attributes):
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name + "_out"], name, **attributes))
        return name + "_out"

    def constant(self, name, value):
        self.constants[name] = numpy_helper.from_array(np.array(value, order="C"), name)
        return name

    def shape(self, *values):
        return self.constant("shape_" + "_".join(map(str, values)), np.array(values, np.int64))

    def number(self, value):
        return self.constant(f"number_{value}", np.array(value, np.float32))

    def linear(self, x, name, weight, bias):
        x = self.node("MatMul", x, self.constant(name + ".weight", weight.T))
        return self.node("Add", x, self.constant(name + ".bias", bias))

    def norm(self, x, model, name):
        weight, bias = (self.constant(f"{name}.{part}", model[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.node("LayerNormalization", x, weight, bias, axis=-1, epsilon=EPSILON)

    def scale(self, x, model, name):
        gamma = model.get(name + ".gamma")
        return x if gamma is None else self.node("Mul", x, self.constant(name + ".gamma", gamma))

    def gelu(self, x):
        erf = self.node("Erf", self.node("Div", x, self.number(math.sqrt(2))))
        return self.node("Mul", self.node("Mul", x, self.node("Add", erf, self.number(1.0))), self.number(0.5))

    def attention(self, x, model, name):
        head = model.width // model.heads
        parts = []
        for i, part in enumerate("qkv"):
            rows = slice(i * model.width, (i + 1) * model.width)
            y = self.linear(x, f"{name}.{part}", model[name + ".qkv.weight"][rows], model[name + ".qkv.bias"][rows])
            y = self.node("Reshape", y, self.shape(1, model.tokens, model.heads, head))
            parts.append(self.node("Transpose", y, perm=[0, 2, 3, 1] if part == "k" else [0, 2, 1, 3]))
        scores = self.node("Div", self.node("MatMul", parts[0], parts[1]), self.number(math.sqrt(head)))
        y = self.node("MatMul", self.node("Softmax", scores, axis=-1), parts[2])
        y = self.node("Reshape", self.node("Transpose", y, perm=[0, 2, 1, 3]), self.shape(1, model.tokens, model.width))
        return self.linear(y, name + ".proj", model[name + ".proj.weight"], model[name + ".proj.bias"])

    def mlp(self, x, model, name):
        x = self.gelu(self.linear(x, name + ".fc1", model[name + ".fc1.weight"], model[name + ".fc1.bias"]))
        return self.linear(x, name + ".fc2", model[name + ".fc2.weight"], model[name + ".fc2.bias"])

    def embed(self, image, model):
        x = self.node("Conv", image, self.constant("patch.weight", model["patch_embed.proj.weight"]),
                      self.constant("patch.bias", model["patch_embed.proj.bias"]), strides=[model.patch] * 2)
        x = self.node("Transpose", self.node("Reshape", x, self.shape(1, model.width, -1)), perm=[0, 2, 1])
        x = self.node("Concat", self.constant("cls_token", model["cls_token"]), x, axis=1)
        return self.node("Add", x, self.constant("pos_embed", model["pos_embed"]))


def build(model):
    """Returns the f32 ONNX model: image [1, 3, S, S] to logits [1, C], or without classes to the embedding [1, D]."""
    g = Graph()
    x = g.embed("image", model)
    for i in range(model.depth):
        block = f"blocks.{i}."
        y = g.attention(g.norm(x, model, block + "norm1"), model, block + "attn")
        x = g.node("Add", g.scale(y, model, block + "ls1"), x)
        y = g.mlp(g.norm(x, model, block + "norm2"), model, block + "mlp")
        x = g.node("Add", g.scale(y, model, block + "ls2"), x)
    x = g.node("Gather", g.norm(x, model, "norm"), g.constant("first", np.array(0, np.int64)), axis=1)
    if model.classes:
        x = g.linear(x, "head", model["head.weight"], model["head.bias"])
    g.nodes.append(helper.make_node("Identity", [x], ["output"]))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, model.size, model.size])
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, model.classes or model.width])
    graph = helper.make_graph(g.nodes, "vit", [image], [output], list(g.constants.values()))
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made
