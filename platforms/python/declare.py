# SPDX-License-Identifier: Apache-2.0
"""Writes the module by which cffi knows the C interface, from the public header itself.

  declare.py vitrine.h _c.py

The module is Python, of no processor and no Python version: structures are laid out where it is imported.
"""
import re
import sys
from pathlib import Path

from cffi import FFI


def declarations(header: str) -> str:
    """The header without what is the preprocessor's."""
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
