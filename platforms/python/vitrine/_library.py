# SPDX-License-Identifier: Apache-2.0
"""Loads libvitrine, checks its calls and owns its handles."""
from __future__ import annotations

import atexit
import logging
import os
from pathlib import Path
from typing import Any, Callable

from . import errors
from ._c import ffi as ffi

lib = ffi.dlopen(str(Path(__file__).with_name("libvitrine.so")))
_log = logging.getLogger("vitrine")


def text(characters: Any) -> str:
    """Returns a C string of the library as a str."""
    return str(ffi.string(characters), "utf-8", "replace")


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Calls a function that returns a vitrine_status, and raises its error. Other Python threads run during the call."""
    status = function(*arguments)
    if status != 0:
        raise errors.CLASSES.get(status, errors.Error)(text(lib.vitrine_last_error()))


def struct(name: str) -> Any:
    """Returns a zeroed structure with struct_size set."""
    made = ffi.new(f"{name} *")
    made.struct_size = ffi.sizeof(name)
    return made


def c_path(path: str | os.PathLike[str]) -> bytes:
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise errors.InvalidArgument(f"a path has a zero in it: {path!r}")
    return encoded


class Handle:
    """A handle of the library. Closes when the last reference is gone, and keeps `needs` alive until then."""

    def __init__(self, kind: str, create: Callable[..., int], *arguments: Any, needs: object = None) -> None:
        self._close: Callable[[Any], int] | None = None
        made = ffi.new(f"vitrine_{kind} *")
        call(create, *arguments, made)
        self.value = made[0]
        self.needs = needs
        self.process = os.getpid()
        self._close = getattr(lib, f"vitrine_{kind}_close")

    def __del__(self) -> None:
        # A forked process does not have the threads of its parent, so it must not end them.
        if self._close is not None and self.process == os.getpid():
            self._close(self.value)


@ffi.callback("vitrine_log_function")  # type: ignore[untyped-decorator]
def _tell(_context: Any, level: int, message: Any) -> None:
    _log.log(logging.WARNING if level == lib.VITRINE_LOG_WARNING else logging.INFO, "%s", text(message))


lib.vitrine_set_log(_tell, ffi.NULL)
atexit.register(lib.vitrine_set_log, ffi.NULL, ffi.NULL)
