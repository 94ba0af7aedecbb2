# SPDX-License-Identifier: Apache-2.0
"""Builds a torch module from a timm ViT checkpoint, in a form that suits exporters.

It has three projections instead of a packed one. Attention consists of plain steps, since ExecuTorch runs the row masking
of scaled_dot_product_attention outside of XNNPACK. There is no batch axis after the patch embedding, since ExecuTorch would
copy each operand of attention because of it.
"""
import torch
from torch import nn

from vit_reference import EPSILON


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x):
        q, k, v = (linear(x).unflatten(1, (self.heads, -1)).transpose(0, 1) for linear in (self.q, self.k, self.v))
        scores = torch.softmax(torch.bmm(q * q.shape[2] ** -0.5, k.transpose(1, 2)), 2)
        return self.proj(torch.bmm(scores, v).transpose(0, 1).flatten(1))


class LayerScale(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(width))

    def forward(self, x):
        return x * self.gamma


class Block(nn.Module):
    """Uses timm's names for its parts, except for the packed qkv, which is split."""

    def __init__(self, width, heads, layer_scale):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, EPSILON), nn.LayerNorm(width, EPSILON)
        self.attn = Attention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.ls1, self.ls2 = (LayerScale(width) if layer_scale else nn.Identity() for _ in range(2))

    def forward(self, x):
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class Vit(nn.Module):
    """Maps an image [1, 3, S, S] to logits [1, C], or without classes to the embedding [1, D]."""

    def __init__(self, model):
        super().__init__()
        width = model.width
        self.patch_embed = nn.Conv2d(3, width, model.patch, model.patch)
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.pos_embed = nn.Parameter(torch.empty(1, model.tokens, width))
        layer_scale = model.get("blocks.0.ls1.gamma") is not None
        self.blocks = nn.Sequential(*(Block(width, model.heads, layer_scale) for _ in range(model.depth)))
        self.norm = nn.LayerNorm(width, EPSILON)
        self.head = nn.Linear(width, model.classes) if model.classes else nn.Identity()

    def forward(self, image):
        x = self.patch_embed(image).flatten(2)[0].transpose(0, 1)
        x = self.blocks(torch.cat([self.cls_token[0], x]) + self.pos_embed[0])
        return self.head(self.norm(x)[:1])


def build(model):
    """Returns the module of a vit_reference.Checkpoint, and an image for tracing."""
    renamed = {}
    for name, tensor in model.tensors.items():
        tensor = torch.from_numpy(tensor.copy())
        name = name.replace("patch_embed.proj", "patch_embed").replace("mlp.fc1", "mlp.0").replace("mlp.fc2", "mlp.2")
        if ".qkv." in name:
            renamed |= {name.replace("qkv", part): rows for part, rows in zip("qkv", tensor.chunk(3))}
        else:
            renamed[name] = tensor
    vit = Vit(model)
    vit.load_state_dict(renamed)
    return vit.eval(), torch.zeros(1, 3, model.size, model.size)
