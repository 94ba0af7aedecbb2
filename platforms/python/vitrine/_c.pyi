# SPDX-License-Identifier: Apache-2.0
# declare.py generates the module when the wheel is built.
from typing import Any

ffi: Any
