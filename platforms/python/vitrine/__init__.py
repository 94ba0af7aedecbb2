# SPDX-License-Identifier: Apache-2.0
"""Runs int8 Vision Transformers on photos, arrays and camera frames.

    import vitrine

    model = vitrine.Model("waste.vit")
    for guess in model.classify("photo.jpg"):
        print(f"{guess.label} {guess.probability:.1%}")
"""
from ._library import lib as _lib
from ._library import text as _text
from .conversion import Conversion, convert
from .errors import (ArenaTooSmall, Busy, ConversionError, Error, Internal, InvalidArgument, InvalidImage, InvalidModel, NotFound, OutOfMemory,
                     UnsupportedCpu, UnsupportedModel)
from .images import Frame
from .model import Guess, Model, ModelInfo, Operator, Pool, Session

__all__ = ["ArenaTooSmall", "Busy", "Conversion", "ConversionError", "Error", "Frame", "Guess", "Internal", "InvalidArgument", "InvalidImage",
           "InvalidModel", "Model", "ModelInfo", "NotFound", "Operator", "OutOfMemory", "Pool", "Session", "UnsupportedCpu",
           "UnsupportedModel", "convert", "instruction_set"]
__version__: str = _text(_lib.vitrine_version())


def instruction_set() -> str:
    """Returns the instruction set of the kernels in use, for example "NEON" or "AVX3_DL"."""
    return _text(_lib.vitrine_instruction_set())
