#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a Vision Transformer with seeded random weights under timm's names, to measure speed, memory and size.

  make_vit.py OUT.safetensors WIDTH DEPTH HEADS [PATCH SIZE CLASSES [LAYER_SCALE]]

ViT-Ti/16 is 192 12 3, S 384 12 6, B 768 12 12, L 1024 24 16. The defaults are patches of 16, images of 224 and 1000 classes.
DINOv2-S/14 is 384 12 6 14 224 0 1: no classes, and a layer scale after each attention and each MLP. The program also writes
the arguments to OUT.safetensors.args.json, for vitrine-convert --config. Do not measure quantization error with random
weights: use trained ones.
"""
import json
import struct
import sys

import numpy as np


class Weights:
    """Named tensors in drawing order."""

    def __init__(self, seed=7):
        self.random = np.random.default_rng(seed)
        self.tensors = {}

    def normal(self, name, *shape, scale=None):
        """Draws normal values. The default scale of a weight preserves the variance of its input."""
        scale = np.float32(scale or shape[-1] ** -0.5)
        self.tensors[name] = (self.random.standard_normal(shape, np.float32) * scale).astype(np.float32)

    def norm(self, name, width):
        self.tensors[name + ".weight"] = (1 + 0.2 * self.random.standard_normal(width)).astype(np.float32)
        self.tensors[name + ".bias"] = (0.1 * self.random.standard_normal(width)).astype(np.float32)

    def layer_scale(self, name, width):
        self.tensors[name + ".gamma"] = (0.5 + 0.1 * self.random.standard_normal(width)).astype(np.float32)

    def linear(self, name, out, width, bias_scale):
        self.normal(name + ".weight", out, width)
        self.normal(name + ".bias", out, scale=bias_scale)


def make_vit(width, depth, patch=16, size=224, classes=1000, layer_scale=False):
    """Returns the tensors of a timm VisionTransformer by name. Shapes do not depend on the number of heads."""
    w = Weights()
    w.normal("cls_token", 1, 1, width, scale=0.2)
    w.normal("pos_embed", 1, (size // patch) ** 2 + 1, width, scale=0.2)
    w.normal("patch_embed.proj.weight", width, 3, patch, patch, scale=(3 * patch * patch) ** -0.5)
    w.normal("patch_embed.proj.bias", width, scale=0.02)
    for i in range(depth):
        block = f"blocks.{i}."
        w.norm(block + "norm1", width)
        w.linear(block + "attn.qkv", 3 * width, width, 0.1)
        w.linear(block + "attn.proj", width, width, 0.02)
        if layer_scale:
            w.layer_scale(block + "ls1", width)
        w.norm(block + "norm2", width)
        w.linear(block + "mlp.fc1", 4 * width, width, 0.1)
        w.linear(block + "mlp.fc2", width, 4 * width, 0.02)
        if layer_scale:
            w.layer_scale(block + "ls2", width)
    w.norm("norm", width)
    if classes:
        w.linear("head", classes, width, 0.02)
    return w.tensors


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + tensor.nbytes]}
        offset += tensor.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.tobytes())


def write_checkpoint(path, width, depth, heads, patch=16, size=224, classes=1000, layer_scale=False):
    write_safetensors(path, make_vit(width, depth, patch, size, classes, layer_scale))
    arguments = {"img_size": size, "patch_size": patch, "embed_dim": width, "depth": depth, "num_heads": heads,
                 "num_classes": classes}
    if layer_scale:
        arguments["init_values"] = 1  # timm's name for layer scale; the checkpoint contains the values
    with open(path + ".args.json", "w") as file:
        json.dump(arguments, file)


if __name__ == "__main__":
    if not 5 <= len(sys.argv) <= 9:
        sys.exit(__doc__)
    write_checkpoint(sys.argv[1], *map(int, sys.argv[2:]))
