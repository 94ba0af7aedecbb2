# SPDX-License-Identifier: Apache-2.0
"""Reads a timm ViT checkpoint and computes it in float64, as the reference for every program in the benchmark."""
import json
import math
import os
import struct

import numpy as np

EPSILON = 1e-6
_erf = np.frompyfunc(math.erf, 1, 1)


def read_safetensors(path):
    """Returns the tensors of a file by name, as float32."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        stored = np.frombuffer(data[begin:end], {"F32": np.float32, "F16": np.float16}[entry["dtype"]])
        tensors[name] = stored.astype(np.float32, copy=False).reshape(entry["shape"])
    return tensors


class Checkpoint:
    """The tensors and arguments of a file that make_vit.py wrote."""

    def __init__(self, path):
        self.path = path
        self.tensors = read_safetensors(path)
        with open(path + ".args.json") as file:
            arguments = json.load(file)
        self.depth, self.heads, self.width = arguments["depth"], arguments["num_heads"], arguments["embed_dim"]
        self.size, self.patch = arguments["img_size"], arguments["patch_size"]
        self.classes = arguments["num_classes"]
        self.tokens = (self.size // self.patch) ** 2 + 1

    def calibration_images(self):
        """Returns images f32 [1, 3, S, S] from the file PATH.calibration.npy; none if the file does not exist."""
        path = self.path + ".calibration.npy"
        return [image[None] for image in np.load(path)] if os.path.exists(path) else []

    def __getitem__(self, name):
        return self.tensors[name]

    def get(self, name):
        return self.tensors.get(name)


def normalize(pixels):
    """Maps u8 [S, S, 3] to f32 [1, 3, S, S] from -1 to 1: mean and deviation 0.5, as in the conversion."""
    return ((pixels.astype(np.float32) / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None]


def sqnr_db(reference, value):
    """Returns the ratio of signal to error, in dB."""
    reference, value = np.asarray(reference, np.float64).ravel(), np.asarray(value, np.float64).ravel()
    return 10 * math.log10((reference**2).sum() / max(((reference - value) ** 2).sum(), 1e-300))


def run(model, pixels):
    """Returns the logits [C] of an image u8 [S, S, 3]; without classes the embedding [D], the normalized class token."""
    def linear(x, name):
        return x @ model[name + ".weight"].T.astype(np.float64) + model[name + ".bias"]

    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + EPSILON) * model[name + ".weight"] + model[name + ".bias"]

    def attention(x, name):
        q, k, v = linear(x, name + ".qkv").reshape(model.tokens, 3, model.heads, -1).transpose(1, 2, 0, 3)
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        return linear((scores @ v).transpose(1, 0, 2).reshape(model.tokens, -1), name + ".proj")

    def mlp(x, name):
        x = linear(x, name + ".fc1")
        return linear(x * 0.5 * (1 + _erf(x / math.sqrt(2)).astype(np.float64)), name + ".fc2")

    def scale(x, name):
        gamma = model.get(name + ".gamma")
        return x if gamma is None else x * gamma

    side, p = model.size // model.patch, model.patch
    patches = normalize(pixels).astype(np.float64).reshape(3, side, p, side, p)
    patches = patches.transpose(1, 3, 0, 2, 4).reshape(side * side, -1)
    x = patches @ model["patch_embed.proj.weight"].reshape(model.width, -1).T + model["patch_embed.proj.bias"]
    x = np.concatenate([model["cls_token"][0], x]) + model["pos_embed"][0]
    for i in range(model.depth):
        x = x + scale(attention(norm(x, f"blocks.{i}.norm1"), f"blocks.{i}.attn"), f"blocks.{i}.ls1")
        x = x + scale(mlp(norm(x, f"blocks.{i}.norm2"), f"blocks.{i}.mlp"), f"blocks.{i}.ls2")
    x = norm(x, "norm")[0]
    return linear(x, "head") if model.classes else x
