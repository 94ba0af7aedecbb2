# SPDX-License-Identifier: Apache-2.0
"""The exceptions: one class for each vitrine_status."""
from __future__ import annotations

from typing import ClassVar


class Error(Exception):
    """The base of all errors, with a message of one line. `code` is the vitrine_status, or 0 for an error outside the C interface."""

    code: ClassVar[int] = 0


class InvalidArgument(Error, ValueError):
    """A value is out of range, an array has the wrong type or shape, or a model or session is closed."""

    code = 1


class NotFound(Error, OSError):
    """A file does not exist or cannot be opened."""

    code = 2


class InvalidModel(Error):
    """A model file is damaged."""

    code = 3


class UnsupportedModel(Error):
    """The model file has another major version, or the model does not have the requested output."""

    code = 4


class InvalidImage(Error, ValueError):
    """The bytes are not an image, or the image is damaged."""

    code = 5


class ArenaTooSmall(Error):
    """The arena is too small."""

    code = 6


class OutOfMemory(Error, MemoryError):
    """Out of memory."""

    code = 7


class UnsupportedCpu(Error):
    """The CPU does not support NEON (ARM) or SSE4.1 (x86)."""

    code = 8


class Internal(Error):
    """An error in the library itself."""

    code = 9


class Busy(Error, RuntimeError):
    """Another thread is using the session."""

    code = 10


class ConversionError(Error):
    """A checkpoint cannot be converted."""


CLASSES: dict[int, type[Error]] = {
    error.code: error
    for error in (InvalidArgument, NotFound, InvalidModel, UnsupportedModel, InvalidImage, ArenaTooSmall, OutOfMemory, UnsupportedCpu,
                  Internal, Busy)
}
