# SPDX-License-Identifier: Apache-2.0
"""Passes arrays to the library as vitrine_image, without a copy of the pixels, and reads Pillow images as arrays."""
from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Sequence, Union

import numpy as np
import numpy.typing as npt

from ._library import ffi, struct
from .errors import InvalidArgument

Pixels = npt.NDArray[np.uint8]

# Bytes per pixel in formats of one plane; and bytes per 2 x 2 pixels in each chroma plane of the other formats.
_CHANNELS = {"rgb": 3, "bgr": 3, "rgba": 4, "gray": 1, "yuyv": 2}
_CHROMA = {"nv12": (2,), "nv21": (2,), "i420": (1, 1)}
# Pillow's modes that need no conversion; and further modes with transparency, which are converted to RGBA.
_PILLOW_MODES = ("L", "RGB", "RGBA")
_PILLOW_ALPHA = ("LA", "PA", "RGBa")
_EXIF_ORIENTATION = 0x0112
_BY_CHANNELS = {1: "gray", 3: "rgb", 4: "rgba"}
# The values of vitrine_format by name: VITRINE_RGB8 is "rgb".
_NUMBERS = {name[len("VITRINE_"):].lower().replace("8", ""): number for number, name in sorted(ffi.typeof("vitrine_format").elements.items())}


@dataclass(frozen=True)
class Frame:
    """Pixels with a format that their shape does not determine.

    `pixels`: uint8, rows from top to bottom. Rows may have any stride, also a negative one, so a part of an image,
    `picture[10:200, 5:100]`, needs no copy. The bytes within a row must be contiguous.
      rgb, bgr   [height, width, 3]
      rgba       [height, width, 4]; alpha is ignored
      gray       [height, width] or [height, width, 1]
      yuyv       [height, width, 2]; the width is even
      nv12, nv21 [height * 3 / 2, width] as in OpenCV, or the planes: [height, width], [height / 2, width]
      i420       [height * 3 / 2, width] without gaps, or the planes: [height, width] and twice [height / 2, width / 2]
    `bt709`, `full_range`: the colour space of Y, U and V. The default is BT.601 with Y from 16 to 235.
    `crop`: the part of the image to use: left, top, width, height; even numbers in the YUV formats.
    """

    pixels: Union[Pixels, Sequence[Pixels]]
    format: str
    bt709: bool = False
    full_range: bool = False
    crop: tuple[int, int, int, int] | None = None


def _shape(array: npt.NDArray[Any]) -> str:
    return "[" + ", ".join(map(str, array.shape)) + "]"


def _sixteen_bits(image: Any, format: str | None) -> Pixels:
    """Returns 16-bit gray in 8 bits like the library's decoders: the upper byte for PNG, the nearest value for PNM."""
    samples = np.asarray(image)
    return np.rint(samples / 257).astype(np.uint8) if format == "PPM" else (samples >> 8).astype(np.uint8)


def _is_upright(image: Any) -> bool:
    try:
        return bool(image.getexif().get(_EXIF_ORIENTATION, 1) == 1)
    except SyntaxError:  # Pillow raises it for a damaged EXIF block, which is ignored
        return True


def _of_pillow(image: Any) -> Pixels:
    """Returns a Pillow image as the library reads its file: upright, 8 bits per sample, transparency ignored."""
    from PIL import ImageOps

    format = image.format
    if not _is_upright(image):
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16") or (image.mode == "I" and format in ("PNG", "PPM")):
        return _sixteen_bits(image, format)
    if image.mode in ("I", "F"):
        raise InvalidArgument(f"a Pillow image of mode {image.mode} does not say what is white: scale it, and convert it to L")
    if image.mode not in _PILLOW_MODES:
        has_alpha = image.mode in _PILLOW_ALPHA or "transparency" in image.info
        try:
            image = image.convert("RGBA" if has_alpha else "RGB")
        except ValueError as error:
            raise InvalidArgument(f"a Pillow image of mode {image.mode} is to be converted to RGB first: {error}") from None
    return np.asarray(image)


def as_array(image: Any) -> Pixels:
    """Returns `image` if it is an array of uint8, or the array that it converts to. Raises InvalidArgument for other types."""
    if not isinstance(image, np.ndarray):
        pillow = sys.modules.get("PIL.Image")  # a Pillow image exists only after this import
        image = _of_pillow(image) if pillow is not None and isinstance(image, pillow.Image) else np.asarray(image)
    if image.dtype != np.uint8:
        kind = "no array" if image.dtype == object else f"of {image.dtype}"
        raise InvalidArgument(f"an image is a path, an encoded photo's bytes, or an array of uint8, 0 to 255; this is {kind}")
    if 0 in image.shape:
        raise InvalidArgument(f"an image of shape {_shape(image)} has no pixels")
    return image  # type: ignore[no-any-return]


def _check_rows(plane: Pixels, width_bytes: int) -> None:
    """Raises InvalidArgument when a row of the plane [rows, ...] is not contiguous."""
    row = plane[0]
    if row.nbytes != width_bytes or not row.flags.c_contiguous:
        raise InvalidArgument(
            f"an image's rows must be without gaps and forward, strides are {plane.strides}: give the array that this is a view of "
            "(with format=\"bgr\" in the place of [..., ::-1]), or np.ascontiguousarray() of it")


def _address(plane: Pixels) -> Any:
    return ffi.cast("uint8_t *", plane.__array_interface__["data"][0])


def _row_stride(plane: Pixels) -> int:
    """Returns the bytes from one row to the next; for a plane of one row, the size of the row."""
    return int(plane.strides[0]) if plane.shape[0] > 1 else plane[0].nbytes


def _format_of(array: Pixels) -> str:
    """Returns the format of an array according to its shape."""
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in _BY_CHANNELS:
        raise InvalidArgument(f"an image is [height, width], [height, width, 3] or [height, width, 4]; this array is {_shape(array)}")
    return _BY_CHANNELS[channels]


def _set_packed(view: Any, array: Pixels, format: str) -> None:
    channels = _CHANNELS[format]
    if array.shape[2:] != (channels,) and not (channels == 1 and array.ndim == 2):
        raise InvalidArgument(f"{format} is [height, width, {channels}]; this array is {_shape(array)}")
    height, width = array.shape[:2]
    _check_rows(array, width * channels)
    view.pixels, view.stride_bytes, view.height, view.width = _address(array), _row_stride(array), height, width


def _planes_of(array: Pixels, format: str) -> list[Pixels]:
    """Returns the planes of one array [height * 3 / 2, width] as views."""
    rows, width = array.shape if array.ndim == 2 else (0, 0)
    height = rows // 3 * 2
    if rows == 0 or rows % 3 != 0 or height % 2 != 0 or width % 2 != 0:
        raise InvalidArgument(f"{format} in one array is [height * 3 / 2, width] of an even size; this array is {_shape(array)}")
    if format != "i420":
        return [array[:height], array[height:]]
    if not array.flags.c_contiguous:
        raise InvalidArgument("i420 in one array is without gaps: give its three planes")
    chroma = array[height:].reshape(2, height // 2, width // 2)
    return [array[:height], chroma[0], chroma[1]]


def _set_planar(view: Any, planes: Sequence[Pixels], format: str) -> None:
    wanted = _CHROMA[format]
    shapes = " ".join(_shape(plane) for plane in planes)
    if len(planes) != 1 + len(wanted) or planes[0].ndim != 2 or any(size % 2 for size in planes[0].shape):
        raise InvalidArgument(f"{format} has {1 + len(wanted)} planes, the first [height, width] of an even size; these are {shapes}")
    height, width = planes[0].shape
    _check_rows(planes[0], width)
    view.pixels, view.stride_bytes, view.height, view.width = _address(planes[0]), _row_stride(planes[0]), height, width
    for index, (channels, plane) in enumerate(zip(wanted, planes[1:])):
        if plane.shape[0] != height // 2 or plane[0].size != width // 2 * channels:
            raise InvalidArgument(f"{format} has chroma of half the height and width; its planes are {shapes}")
        _check_rows(plane, width // 2 * channels)
        if index > 0 and _row_stride(plane) != view.chroma_stride_bytes:
            raise InvalidArgument("both chroma planes have rows of the same distance")
        view.chroma[index], view.chroma_stride_bytes = _address(plane), _row_stride(plane)


def view_of(image: Any, format: str | None) -> tuple[Any, object]:
    """Returns a vitrine_image, and the object that owns its pixels: keep both while the library reads them."""
    frame = image if isinstance(image, Frame) else None
    pixels = frame.pixels if frame else image
    if frame and format is not None:
        raise InvalidArgument("a Frame has its format itself")
    planes = [as_array(plane) for plane in (pixels if isinstance(pixels, (tuple, list)) else [pixels])]
    if not planes:
        raise InvalidArgument("an image has at least one plane")
    chosen = frame.format if frame else format or _format_of(planes[0])
    if chosen not in _NUMBERS:
        raise InvalidArgument(f"there is no format {chosen!r}: choose from {', '.join(_NUMBERS)}")
    view = struct("vitrine_image")
    view.format = _NUMBERS[chosen]
    if chosen in _CHROMA:
        _set_planar(view, planes if len(planes) > 1 else _planes_of(planes[0], chosen), chosen)
    elif len(planes) == 1:
        _set_packed(view, planes[0], chosen)
    else:
        raise InvalidArgument(f"{chosen} has one plane")
    if frame:
        view.bt709, view.full_range = frame.bt709, frame.full_range
        if frame.crop is not None:
            if min(frame.crop[2:]) < 1:
                raise InvalidArgument(f"a crop is left, top, width, height; {frame.crop} has no pixels")
            view.crop_left, view.crop_top, view.crop_width, view.crop_height = frame.crop
    return view, planes
