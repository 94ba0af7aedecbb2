# SPDX-License-Identifier: Apache-2.0
"""A model, and sessions that run it."""
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
# What shows an image: a file's path, a JPEG's, PNG's, BMP's or PNM's bytes, an array of uint8 or what gives one, such as
# Pillow's images, a Frame, the planes of one.
ImageLike = Union[str, "os.PathLike[str]", _Bytes, npt.NDArray[Any], Frame, _HasArrayInterface, _IsAnArray, Sequence[npt.NDArray[Any]]]
# What a model is opened from: a path, or the file's bytes.
ModelLike = Union[str, "os.PathLike[str]", _Bytes, mmap.mmap, npt.NDArray[np.uint8]]


@dataclass(frozen=True)
class Guess:
    """A class and how probable it is, 0 to 1."""

    label: str
    probability: float
    index: int


@dataclass(frozen=True)
class ModelInfo:
    """What a model file says of itself (vitrine_model_info)."""

    format_major: int
    format_minor: int
    family: str
    recipe: str
    image_height: int  #: of the input, pixels; zeros where the input is no image
    image_width: int
    image_channels: int
    grid_height: int  #: patches; zeros where it has none
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
    """The fields of a dataclass, from the structure that has them too."""
    return {field.name: text(getattr(value, field.name)) if field.type == "str" else getattr(value, field.name) for field in fields(kind)}


class Pool:
    """Threads that several sessions share; `threads` with the caller's, at least 1."""

    def __init__(self, threads: int) -> None:
        self._handle = Handle("pool", lib.vitrine_pool_create, threads)


class Session:
    """A model ready to run; made by Model.session(). One thread at a time: another gets Busy.

    Every method that takes an image resizes and crops it as the model's training did, and runs the model. `format` says what an
    array holds where its shape does not (Frame lists them); "input": the model's input itself, [height, width, channels];
    for bytes "jpeg": a camera's JPEG, with its orientation left as it is stored.

    What a method returns is the caller's own, unless `copy=False` asks for a read-only view of the library's memory: valid while
    it is referred to, and overwritten by the next run. `out` takes the values in the place of a new array.
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
        """Gives memory and threads back, once no view of them is left. Closing twice has no effect."""
        self._handle = None

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes; empty where the file has none."""
        return self._labels

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the model's input, pixels."""
        return self._info.image_height, self._info.image_width

    @property
    def arena_bytes(self) -> int:
        """Memory for activations."""
        with self._use() as handle:
            return int(lib.vitrine_session_arena_bytes(handle.value))

    @property
    def level(self) -> int:
        """Which level of a model that merges tokens runs, 0 to info.level_count - 1; more is faster."""
        return self._level

    @level.setter
    def level(self, level: int) -> None:
        with self._use() as handle:
            call(lib.vitrine_session_set_level, handle.value, level)
            self._level = level

    def classify(self, image: ImageLike, top: int = 5, *, format: str | None = None) -> list[Guess]:
        """The most probable classes, most probable first."""
        if top < 1:
            raise errors.InvalidArgument(f"top is at least 1, not {top}")
        with self._run(image, format) as handle:
            guesses, count = ffi.new("vitrine_guess[]", top), ffi.new("size_t *")
            call(lib.vitrine_session_top, handle.value, guesses, top, count)
        if count[0] == 0:
            raise errors.UnsupportedModel("the model has no classifier: use embed()")
        return [Guess(self._label(guess.index), guess.probability, guess.index) for guess in guesses[0:count[0]]]

    def logits(self, image: ImageLike, *, format: str | None = None, out: Floats | None = None, copy: bool = True) -> Floats:
        """[classes], before the softmax."""
        with self._run(image, format) as handle:
            return self._output(handle, "logits", None, out, copy)

    def embed(self, image: ImageLike, *, format: str | None = None, out: Floats | None = None, copy: bool = True) -> Floats:
        """[width]: what the classifier reads, or the image's embedding where there is none."""
        with self._run(image, format) as handle:
            return self._output(handle, "embedding", None, out, copy)

    def patch_features(self, image: ImageLike, *, format: str | None = None, out: Floats | None = None, copy: bool = True) -> Floats:
        """[grid_height, grid_width, width], of models converted with patch_features, at levels that merge no tokens."""
        with self._run(image, format) as handle:
            return self._output(handle, "patch_features", (self._info.grid_height, self._info.grid_width, -1), out, copy)

    def attention_map(self, image: ImageLike, *, kind: str = "rollout", format: str | None = None, out: Floats | None = None,
                      copy: bool = True) -> Floats:
        """[grid_height, grid_width]: where the model looks, each at least 0, their sum at most 1.

        `kind`: "rollout", how much of the output comes from each patch (Abnar and Zuidema 2020), or "last_block", what the class
        token attends to in the last block. The first call of a session prepares it anew, with the memory that this takes.
        """
        kinds = {"rollout": lib.VITRINE_ATTENTION_ROLLOUT, "last_block": lib.VITRINE_ATTENTION_LAST_BLOCK}
        if kind not in kinds:
            raise errors.InvalidArgument(f"there is no attention map {kind!r}: choose from {', '.join(kinds)}")
        with self._run(image, format, kinds[kind]) as handle:
            return self._output(handle, "attention_map", (self._info.grid_height, self._info.grid_width), out, copy)

    def region_seen(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Where maps of patches lie in a picture of that size, pixels: left, top, width and height in fractions of its sides."""
        region = ffi.new("vitrine_region *")
        with self._use() as handle:
            call(lib.vitrine_session_region_seen, handle.value, width, height, region)
        return region.x, region.y, region.width, region.height

    def profile(self, image: ImageLike, *, format: str | None = None) -> list[tuple[Operator, float]]:
        """Every operator of the level, with the microseconds that it took."""
        operators = self.operators(self._level)
        times = np.empty(len(operators))

        def run(handle: Any) -> None:
            call(lib.vitrine_session_profile, handle, ffi.from_buffer("double[]", times), len(times))

        with self._run(image, format, run=run):
            return list(zip(operators, times.tolist()))

    def operators(self, level: int = 0) -> list[Operator]:
        """Those of a level, in the order in which they run."""
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
        """The session's handle, for this thread only. From image to result it is one use: nobody's results are mixed up."""
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
        """The same, after a run on `image`."""
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
        """Writes what the caller has prepared himself where the model reads it."""
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
        # The view's memory is the session's, which lives as long as the view does.
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
    """A model file, and a session of it.

        with vitrine.Model("waste.vit") as model:
            print(model.classify("photo.jpg")[0].label)

    `model`: a path, or the file's bytes. `threads`: that compute, the caller's included; 0: as many as processors that it may
    run on. `packed`: a file that keeps the weights as this processor wants them, for a quicker start the next time; None: none.
    `pool`: threads to share with other sessions, in the place of `threads`.
    """

    def __init__(self, model: ModelLike, *, threads: int = 0, packed: str | os.PathLike[str] | None = None, pool: Pool | None = None) -> None:
        handle = _open(model)
        about = struct("vitrine_model_info")
        call(lib.vitrine_model_describe, handle.value, about)
        info = ModelInfo(**_fields_of(ModelInfo, about))
        labels = tuple(text(lib.vitrine_model_label(handle.value, index)) for index in range(info.label_count))
        super().__init__(handle, info, labels, threads, packed, pool)

    def session(self, *, threads: int | None = None, pool: Pool | None = None) -> Session:
        """Another session of the same file, for another thread, with `threads` or `pool` of its own or this model's."""
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
