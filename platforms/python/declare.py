# SPDX-License-Identifier: Apache-2.0
"""Generates cffi's module for the C interface from the public header.

  declare.py vitrine.h _c.py

The module is plain Python and works on every CPU and Python version, because cffi computes the layout of structures at import.
"""
import re
import sys
from pathlib import Path

from cffi import FFI


def declarations(header: str) -> str:
    """Returns the header without comments and preprocessor directives."""
    without_comments = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    for_c = re.sub(r"^#ifdef __cplusplus$.*?^#endif$", "", without_comments, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"^#.*$", "", for_c, flags=re.MULTILINE).replace("VITRINE_API ", "")


def main() -> None:
    header, output = (Path(word) for word in sys.argv[1:])
    ffi = FFI()
    ffi.set_source("_c", None)
    ffi.cdef(declarations(header.read_text()))
    ffi.emit_python_code(str(output))


if __name__ == "__main__":
    main()
