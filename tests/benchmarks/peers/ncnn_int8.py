# SPDX-License-Identifier: Apache-2.0
"""Quantizes an ncnn model as ncnn's own tool ncnn2int8 does. No package contains that tool.

Gemm and MultiHeadAttention get int8 weights; ncnn quantizes their inputs at run time. The tool uses one scale for the whole
weight of a Gemm and for the output projection of attention, and one scale per output channel for query, key and value.
Layers that need calibration, here the patch embedding and the head, are not changed.

A .param file has one line per layer. A .bin file has the arrays of these layers in the same order. An array of weights
starts with a four-byte type tag and is padded to a multiple of four bytes; all other arrays are plain f32.
"""
import numpy as np

F32_TAG, INT8_TAG = 0, 0x000D4B38
INT8_SCALE_TERM = " 18=2"


def quantize(param_path, bin_path):
    with open(bin_path, "rb") as file:
        lines, arrays = quantize_layers(param_path.read_text().splitlines(), file)
        if file.read(1):
            raise ValueError("ncnn's .bin file is longer than its layers need")
    param_path.write_text("\n".join(lines) + "\n")
    bin_path.write_bytes(b"".join(arrays))


def quantize_layers(lines, file):
    out, arrays = lines[:2], []  # the magic number; the numbers of layers and blobs
    for line in lines[2:]:
        kind, _, inputs, outputs, *rest = line.split()
        values = dict(pair.split("=") for pair in rest[int(inputs) + int(outputs):])
        p = {int(key): int(value) for key, value in values.items() if value.lstrip("-").isdigit()}
        if kind == "Gemm":
            arrays += gemm(p, file)
            line += INT8_SCALE_TERM
        elif kind == "MultiHeadAttention":
            arrays += attention(p, file)
            line += INT8_SCALE_TERM
        else:
            arrays += unchanged(kind, p, file)
        out.append(line)
    return out, arrays


def gemm(p, file):
    """Reads the weight [N, K] and the bias [N]; both have a type tag."""
    if (p[3], p[4], p[5], p[6], p[10]) != (1, 0, 1, 1, 4):
        raise ValueError("a Gemm that is no linear layer")
    n, k = p[8], p[9]
    weight, scale = int8(weights(file, n * k), 1)
    bias = weights(file, n)
    return [weight, tag(F32_TAG), bias.tobytes(), scale]


def attention(p, file):
    """Reads weight and bias of query, key, value and output, then all scales."""
    width = p[0]
    arrays, scales = [], []
    for rows in (width, width, width, 1):
        weight, scale = int8(weights(file, p[2]), rows)
        arrays += [weight, plain(file, width)]
        scales.append(scale)
    return arrays + scales


def unchanged(kind, p, file):
    if kind in ("Convolution", "InnerProduct"):
        weight_count, has_bias = (p[6], p[5]) if kind == "Convolution" else (p[2], p[1])
        return [tag(F32_TAG), weights(file, weight_count).tobytes(), plain(file, p[0] if has_bias else 0)]
    if kind == "LayerNorm":
        return [plain(file, 2 * p[0])]
    if kind == "MemoryData":
        return [plain(file, p[0] * p.get(1, 1))]
    if kind == "Scale":
        return [plain(file, p[0] * (1 + p.get(1, 0)))]
    return []


def int8(weight, rows):
    """Returns the tagged bytes of a weight with one scale per row, and the scales in ncnn's form: 127 / largest."""
    weight = weight.reshape(rows, -1)
    scales = (127 / np.abs(weight).max(1, keepdims=True)).astype(np.float32)
    data = np.clip(np.rint(weight * scales), -127, 127).astype(np.int8).tobytes()
    return tag(INT8_TAG) + data + b"\0" * (-len(data) % 4), scales.tobytes()


def weights(file, count):
    if file.read(4) != tag(F32_TAG):
        raise ValueError("weights that are not f32")
    return np.frombuffer(file.read(4 * count), np.float32)


def plain(file, count):
    return file.read(4 * count)


def tag(value):
    return value.to_bytes(4, "little")
