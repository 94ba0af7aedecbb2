# SPDX-License-Identifier: Apache-2.0
"""Models, and the sessions that run them."""
from __future__ import annotations

import mmap
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any, Callable, Iterator, Protocol, Sequence, TypeVar, Union

import numpy as np
import numpy.typing as npt

from . import errors
from ._library import Handle, c_path, call, ffi, lib, struct, text
from .images import Frame, Pixels, as_array, view_of

Floats = npt.NDArray[np.float32]
_Self = TypeVar("_Self", bound="Session")


class _HasArrayInterface(Protocol):
    @property
    def __array_interface__(self) -> dict[str, Any]: ...


class _IsAnArray(Protocol):
    def __array__(self) -> npt.NDArray[Any]: ...


_BYTES = (bytes, bytearray, memoryview)
_Bytes = Union[bytes, bytearray, memoryview]
# Types of images: the path of a file; the bytes of a JPEG, PNG, BMP or PNM file; an array of uint8, or an object that converts
# to one, such as a Pillow image; a Frame; the planes of a YUV image.
ImageLike = Union[str, "os.PathLike[str]", _Bytes, npt.NDArray[Any], Frame, _HasArrayInterface, _IsAnArray, Sequence[npt.NDArray[Any]]]
# Types of models: the path of a file, or its bytes.
ModelLike = Union[str, "os.PathLike[str]", _Bytes, mmap.mmap, npt.NDArray[np.uint8]]


@dataclass(frozen=True)
class Guess:
    """A class and its probability, from 0 to 1."""

    label: str
    probability: float
    index: int


@dataclass(frozen=True)
class ModelInfo:
    """The description of a model file (vitrine_model_info)."""

    format_major: int
    format_minor: int
    family: str
    recipe: str
    image_height: int  #: of the input, pixels; zeros when it is not an image
    image_width: int
    image_channels: int
    grid_height: int  #: number of patches; zeros when the input is not cut into patches
    grid_width: int
    tokens: int
    macs: int
    parameters: int
    file_bytes: int
    label_count: int
    level_count: int
    operator_count: int  #: of level 0
    sqnr_db: float  #: measured by the converter against f32, decibels
    agreement: float  #: fraction of the converter's images with the same class


@dataclass(frozen=True)
class Operator:
    """An operator of a model (vitrine_operator_info)."""

    name: str
    kind: str
    type: str
    rows: int
    columns: int
    macs: int


def _fields_of(kind: Any, value: Any) -> dict[str, Any]:
    """Returns the fields of a dataclass, read from the members of a structure with the same names."""
    return {field.name: text(getattr(value, field.name)) if field.type == "str" else getattr(value, field.name) for field in fields(kind)}


class Pool:
    """Threads that several sessions share. `threads` includes the caller's and is at least 1."""

    def __init__(self, threads: int) -> None:
        self._handle = Handle("pool", lib.vitrine_pool_create, threads)


class Session:
    """A model that is ready to run. Model.session() creates sessions. Only one thread may use a session at a time; a call from
    another thread raises Busy.

    Every method with an `image` argument resizes and crops the image as in the model's training, and runs the model. `format` is
    the format of an array, when its shape does not determine it; Frame lists the formats. "input" means the model's input itself,
    [height, width, channels]. For bytes, "jpeg" means a JPEG whose EXIF orientation is ignored.

    Methods return a new array. With `copy=False` they return a read-only view of the library's memory, which stays valid as long
    as the view exists; the next run overwrites it. With `out` they write the values to that array and return it.
    """

    def __init__(self, model: Handle, info: ModelInfo, labels: tuple[str, ...], threads: int, packed: str | os.PathLike[str] | None,
                 pool: Pool | None) -> None:
        self._model, self._info, self._labels = model, info, labels
        self._threads, self._packed, self._pool = threads, packed, pool
        self._lock = threading.Lock()
        self._level = 0
        self._has_attention = False
        self._handle: Handle | None = self._create()

    def _create(self, attention: bool = False) -> Handle:
        options = struct("vitrine_session_options")
        packed = ffi.NULL if self._packed is None else ffi.new("char[]", c_path(self._packed))
        options.thread_count, options.packed_weights, options.attention_map = self._threads, packed, attention
        options.pool = ffi.NULL if self._pool is None else self._pool._handle.value
        return Handle("session", lib.vitrine_session_create, self._model.value, options, needs=(self._model, self._pool))

    def close(self) -> None:
        """Frees the memory and ends the threads when the last view is gone. Closing twice has no effect."""
        self._handle = None

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes; empty when the file has none."""
        return self._labels

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def input_size(self) -> tuple[int, int]:
        """The height and width of the model's input, pixels."""
        return self._info.image_height, self._info.image_width

    @property
    def arena_bytes(self) -> int:
        """The size of the memory for activations, bytes."""
        with self._use() as handle:
            return int(lib.vitrine_session_arena_bytes(handle.value))

    @property
    def level(self) -> int:
        """The level that runs, 0 (the default) to info.level_count - 1. Higher levels merge more tokens, which is faster and less
        accurate."""
        return self._level

    @level.setter
    def level(self, level: int) -> None:
        with self._use() as handle:
            call(lib.vitrine_session_set_level, handle.value, level)
            self._level = level

    def classify(self, image: ImageLike, top: int = 5, *, format: str | None = None) -> list[Guess]:
        """Returns the `top` most probable classes, the most probable first."""
        if top < 1:
            raise errors.InvalidArgument(f"top is at least 1, not {top}")
        with self._run(image, format) as handle:
            guesses, count = ffi.new("vitrine_guess[]", top), ffi.new("size_t *")
            call(lib.vitrine_session_top, handle.value, guesses, top, count)
        if count[0] == 0:
            raise errors.UnsupportedModel("the model has no classifier: use embed()")
        return [Guess(self._label(guess.index), guess.probability, guess.index) for guess in guesses[0:count[0]]]

    def logits(self, image: ImageLike, *, format: str | None = None, out: Floats | None = None, copy: bool = True) -> Floats:
        """Returns the logits of the classes, [classes], before the softmax."""
        with self._run(image, format) as handle:
            return self._output(handle, "logits", None, out, copy)

    def embed(self, image: ImageLike, *, format: str | None = None, out: Floats | None = None, copy: bool = True) -> Floats:
        """Returns the classifier's input, [width], or the image's embedding when the model has no classifier."""
        with self._run(image, format) as handle:
            return self._output(handle, "embedding", None, out, copy)

    def patch_features(self, image: ImageLike, *, format: str | None = None, out: Floats | None = None, copy: bool = True) -> Floats:
        """Returns the features of the patches, [grid_height, grid_width, width]. Needs a model converted with patch_features, and a
        level that does not merge tokens."""
        with self._run(image, format) as handle:
            return self._output(handle, "patch_features", (self._info.grid_height, self._info.grid_width, -1), out, copy)

    def attention_map(self, image: ImageLike, *, kind: str = "rollout", format: str | None = None, out: Floats | None = None,
                      copy: bool = True) -> Floats:
        """Returns the attention map, [grid_height, grid_width]. Values are at least 0, and their sum is at most 1.

        `kind` is "rollout", how much each patch contributes to the output (Abnar and Zuidema 2020), or "last_block", the attention
        of the class token in the last block. The first call creates the session again, because the map needs more memory.
        """
        kinds = {"rollout": lib.VITRINE_ATTENTION_ROLLOUT, "last_block": lib.VITRINE_ATTENTION_LAST_BLOCK}
        if kind not in kinds:
            raise errors.InvalidArgument(f"there is no attention map {kind!r}: choose from {', '.join(kinds)}")
        with self._run(image, format, kinds[kind]) as handle:
            return self._output(handle, "attention_map", (self._info.grid_height, self._info.grid_width), out, copy)

    def region_seen(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Returns the part of an image of `width` x `height` pixels that the model receives, which is the area of an attention map:
        left, top, width and height in fractions of the sides."""
        region = ffi.new("vitrine_region *")
        with self._use() as handle:
            call(lib.vitrine_session_region_seen, handle.value, width, height, region)
        return region.x, region.y, region.width, region.height

    def profile(self, image: ImageLike, *, format: str | None = None) -> list[tuple[Operator, float]]:
        """Runs the model and returns every operator of the level with its time in microseconds."""
        operators = self.operators(self._level)
        times = np.empty(len(operators))

        def run(handle: Any) -> None:
            call(lib.vitrine_session_profile, handle, ffi.from_buffer("double[]", times), len(times))

        with self._run(image, format, run=run):
            return list(zip(operators, times.tolist()))

    def operators(self, level: int = 0) -> list[Operator]:
        """Returns the operators of a level, in the order in which they run."""
        if not 0 <= level < self._info.level_count:
            raise errors.InvalidArgument(f"there is no level {level}, the last is {self._info.level_count - 1}")
        found: list[Operator] = []
        info = struct("vitrine_operator_info")
        while lib.vitrine_model_operator(self._model.value, level, len(found), info) == lib.VITRINE_OK:
            found.append(Operator(**_fields_of(Operator, info)))
        return found

    def _label(self, index: int) -> str:
        return self._labels[index] if index < len(self._labels) else f"class {index}"

    @contextmanager
    def _use(self) -> Iterator[Handle]:
        """Locks the session and yields its handle. A method holds the lock from the image to the result, so that each caller gets
        the result of its own image."""
        if not self._lock.acquire(blocking=False):
            raise errors.Busy("another thread is using the session: give each thread its own, model.session()")
        try:
            handle = self._handle
            if handle is None:
                raise errors.InvalidArgument("the session is closed")
            if handle.process != os.getpid():
                raise errors.InvalidArgument("the model was opened before this process was forked: open it again here")
            yield handle
        finally:
            self._lock.release()

    @contextmanager
    def _run(self, image: ImageLike, format: str | None, attention: int = 0,
             run: Callable[[Any], None] | None = None) -> Iterator[Handle]:
        """Locks the session, runs it on `image` and yields its handle."""
        with self._use() as handle:
            if attention and not self._has_attention:
                handle = self._handle = self._create(attention=True)
                self._has_attention = True
                call(lib.vitrine_session_set_level, handle.value, self._level)
            if self._has_attention:
                call(lib.vitrine_session_set_attention_map, handle.value, attention)
            self._set(handle.value, image, format)
            if run is None:
                call(lib.vitrine_session_run, handle.value)
            else:
                run(handle.value)
            yield handle

    def _set(self, handle: Any, image: ImageLike, format: str | None) -> None:
        if format is not None and isinstance(image, (str, os.PathLike, *_BYTES)) and not (format == "jpeg" and isinstance(image, _BYTES)):
            raise errors.InvalidArgument("format is for arrays: a photo's file says itself what it is")
        if isinstance(image, (str, os.PathLike)):
            call(lib.vitrine_session_set_file, handle, c_path(image))
        elif isinstance(image, _BYTES):
            set_bytes = lib.vitrine_session_set_photo if format is None else lib.vitrine_session_set_jpeg
            photo = ffi.from_buffer(image)
            call(set_bytes, handle, photo, len(photo))
        elif format == "input":
            self._set_input(handle, as_array(image))
        else:
            view, needed = view_of(image, format)
            call(lib.vitrine_session_set_image, handle, view)
            del needed

    def _set_input(self, handle: Any, array: Pixels) -> None:
        """Copies an input that the caller prepared to the model's input."""
        data, size = ffi.new("uint8_t **"), ffi.new("size_t *")
        call(lib.vitrine_session_input, handle, data, size)
        shape = (self._info.image_height, self._info.image_width, self._info.image_channels)
        if array.shape != shape:
            raise errors.InvalidArgument(f"the input is uint8 {list(shape)}; this array is {list(array.shape)}")
        np.copyto(np.frombuffer(ffi.buffer(data[0], size[0]), np.uint8).reshape(shape), array)

    def _output(self, handle: Handle, name: str, shape: tuple[int, ...] | None, out: Floats | None, copy: bool) -> Floats:
        data, count = ffi.new("float **"), ffi.new("size_t *")
        call(getattr(lib, f"vitrine_session_{name}"), handle.value, ffi.cast("float const **", data), count)
        if not data[0]:
            raise errors.UnsupportedModel(f"the model gives no {name} at level {self._level}")
        # The view refers to the session's memory, so it keeps the session open.
        memory = ffi.gc(data[0], lambda _, needed=handle: None)
        values = np.frombuffer(ffi.buffer(memory, count[0] * 4), np.float32)
        values = values.reshape(shape) if shape is not None else values
        if out is not None:
            if not isinstance(out, np.ndarray) or out.dtype != np.float32 or out.shape != values.shape:
                raise errors.InvalidArgument(f"out is an array of float32 {list(values.shape)}")
            np.copyto(out, values)
            return out
        if copy:
            return values.copy()
        values.flags.writeable = False
        return values


class Model(Session):
    """A model file with its first session.

        with vitrine.Model("waste.vit") as model:
            print(model.classify("photo.jpg")[0].label)

    `model` is a path, or the bytes of the file. `threads` is the number of threads including the caller's; 0 means one for each
    CPU core that the caller may run on. `packed` is the path of a cache file with the weights rearranged for this CPU, which makes
    later starts faster; None disables the cache. `pool` contains threads to share with other sessions, instead of `threads`.
    """

    def __init__(self, model: ModelLike, *, threads: int = 0, packed: str | os.PathLike[str] | None = None, pool: Pool | None = None) -> None:
        handle = _open(model)
        about = struct("vitrine_model_info")
        call(lib.vitrine_model_describe, handle.value, about)
        info = ModelInfo(**_fields_of(ModelInfo, about))
        labels = tuple(text(lib.vitrine_model_label(handle.value, index)) for index in range(info.label_count))
        super().__init__(handle, info, labels, threads, packed, pool)

    def session(self, *, threads: int | None = None, pool: Pool | None = None) -> Session:
        """Returns a new session of the same file, for another thread. `threads` and `pool` default to those of this model."""
        with self._use():
            shared = self._pool if threads is None else None
            return Session(self._model, self._info, self._labels, self._threads if threads is None else threads, self._packed, pool or shared)


def _open(model: ModelLike) -> Handle:
    if isinstance(model, (str, os.PathLike)):
        return Handle("model", lib.vitrine_model_open, c_path(model))
    try:
        file = np.frombuffer(model, np.uint8)
    except (TypeError, ValueError, BufferError):
        raise errors.InvalidArgument(f"a model is a path or a file's bytes, not {type(model).__name__}") from None
    if file.nbytes == 0:
        raise errors.InvalidModel("a model of 0 bytes")
    if file.flags.writeable or file.__array_interface__["data"][0] % 64 != 0:
        file = _aligned_copy(file)
    return Handle("model", lib.vitrine_model_from_bytes, ffi.from_buffer(file), file.nbytes, needs=file)


def _aligned_copy(file: Pixels) -> Pixels:
    memory = np.empty(file.nbytes + 64, np.uint8)
    offset = -memory.__array_interface__["data"][0] % 64
    memory[offset:offset + file.nbytes] = file
    return memory[offset:offset + file.nbytes]
