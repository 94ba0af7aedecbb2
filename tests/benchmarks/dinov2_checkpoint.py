# SPDX-License-Identifier: Apache-2.0
"""Converts a Hugging Face DINOv2 folder to the timm checkpoint of the benchmarks: one input size, pixels from -1 to 1."""
import json

import numpy as np

import make_vit
import vit_reference

SIZE = 224
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
LAYERS = {"norm1": "norm1", "norm2": "norm2", "attention.output.dense": "attn.proj", "mlp.fc1": "mlp.fc1", "mlp.fc2": "mlp.fc2"}


def resample(positions, side):
    """Resizes [S * S, D] to [side * side, D]: bicubic with a = -0.75 and no antialiasing, as in the original library."""
    stored = round(len(positions) ** 0.5)
    centers = (np.arange(side) + 0.5) * stored / side - 0.5
    weights = np.zeros((side, stored))
    for row, center in enumerate(centers):
        for tap in range(int(np.floor(center)) - 1, int(np.floor(center)) + 3):
            x = abs(center - tap)
            weight = (1.25 * x - 2.25) * x * x + 1 if x <= 1 else ((-0.75 * x + 3.75) * x - 6) * x + 3
            weights[row, min(max(tap, 0), stored - 1)] += weight
    grid = positions.reshape(stored, stored, -1).astype(np.float64)
    grid = np.einsum("yi,xj,ijd->yxd", weights, weights, grid)
    return grid.reshape(side * side, -1)


def write(folder, path):
    """Writes `path` and path.args.json. Supports backbones only: the embedding is the class token after the last norm."""
    config = json.loads((folder / "config.json").read_text())
    source = vit_reference.read_safetensors(folder / "model.safetensors")
    source = {name.removeprefix("dinov2."): tensor for name, tensor in source.items()}
    width, patch, depth = config["hidden_size"], config["patch_size"], config["num_hidden_layers"]
    weight = source["embeddings.patch_embeddings.projection.weight"].astype(np.float64)
    shift = (weight.sum((2, 3)) * ((0.5 - MEAN) / DEVIATION)).sum(1)   # the difference between the two normalizations
    positions = source["embeddings.position_embeddings"][0]
    tensors = {
        "patch_embed.proj.weight": weight / (2 * DEVIATION)[:, None, None],
        "patch_embed.proj.bias": source["embeddings.patch_embeddings.projection.bias"] + shift,
        "cls_token": source["embeddings.cls_token"],
        "pos_embed": np.concatenate([positions[:1], resample(positions[1:], SIZE // patch)])[None],
        "norm.weight": source["layernorm.weight"], "norm.bias": source["layernorm.bias"]}
    for i in range(depth):
        old, new = f"encoder.layer.{i}.", f"blocks.{i}."
        for kind in ("weight", "bias"):
            parts = [source[f"{old}attention.attention.{part}.{kind}"] for part in ("query", "key", "value")]
            tensors[f"{new}attn.qkv.{kind}"] = np.concatenate(parts)
            for theirs, ours in LAYERS.items():
                tensors[f"{new}{ours}.{kind}"] = source[f"{old}{theirs}.{kind}"]
        for scale, ours in (("layer_scale1", "ls1"), ("layer_scale2", "ls2")):
            tensors[f"{new}{ours}.gamma"] = source[f"{old}{scale}.lambda1"]
    make_vit.write_safetensors(path, {name: np.ascontiguousarray(value, np.float32) for name, value in tensors.items()})
    arguments = {"img_size": SIZE, "patch_size": patch, "embed_dim": width, "depth": depth,
                 "num_heads": config["num_attention_heads"], "num_classes": 0, "init_values": 1.0}
    with open(path + ".args.json", "w") as file:
        json.dump(arguments, file)
