# SPDX-License-Identifier: Apache-2.0
"""What can go wrong: one class for each vitrine_status."""
from __future__ import annotations

from typing import ClassVar


class Error(Exception):
    """Whatever vitrine cannot do, in one line. `code` is the C interface's vitrine_status; 0 where the C interface had no part in it."""

    code: ClassVar[int] = 0


class InvalidArgument(Error, ValueError):
    """A value is out of range, an array has another type or shape, a model or session is closed."""

    code = 1


class NotFound(Error, OSError):
    """A file is not there or cannot be opened."""

    code = 2


class InvalidModel(Error):
    """A model file is damaged."""

    code = 3


class UnsupportedModel(Error):
    """A model file of another major version, or a model that has no such output."""

    code = 4


class InvalidImage(Error, ValueError):
    """Bytes that are no image, or a damaged one."""

    code = 5


class ArenaTooSmall(Error):
    """The arena is too small."""

    code = 6


class OutOfMemory(Error, MemoryError):
    """There is no more memory."""

    code = 7


class UnsupportedCpu(Error):
    """The processor lacks NEON, or SSE4.1."""

    code = 8


class Internal(Error):
    """The library is at fault."""

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
