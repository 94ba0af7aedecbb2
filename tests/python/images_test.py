# SPDX-License-Identifier: Apache-2.0
"""Tests arrays: every layout gives the correct pixels, none is copied, and an invalid array is refused with one line."""
import tracemalloc
import unittest

import numpy as np
import vitrine
from fixture import FOLDER, TINY, picture, write_ppm
from vitrine.images import view_of


def spread(array, gap):
    """Returns the same pixels with `gap` bytes after each row."""
    height, *rest = array.shape
    memory = np.full((height, int(np.prod(rest)) + gap), 77, np.uint8)
    view = memory[:, :-gap].reshape(array.shape) if gap == 0 else np.lib.stride_tricks.as_strided(
        memory, array.shape, (memory.strides[0], *array.strides[1:]))
    view[...] = array
    return view


def yuv_planes(height=96, width=128):
    colours = picture(height, width)
    return colours[..., 0], colours[::2, ::2, 1].copy(), colours[::2, ::2, 2].copy()


class InAModel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = vitrine.Model(TINY, threads=1)
        cls.addClassCleanup(cls.model.close)

    def assert_same(self, image, expected, **options):
        np.testing.assert_array_equal(self.model.logits(image, **options), expected)


class LayoutTest(InAModel):
    def test_an_array_is_the_file_with_these_pixels(self):
        array = picture()
        self.assert_same(array, self.model.logits(write_ppm(FOLDER / "picture.ppm", array)))

    def test_a_part_of_a_picture_and_its_rows_upside_down(self):
        array = picture()
        for view in (array[10:120, 5:100], array[::2], array[::-1], array[::-3, 7:], array[5:6], array[:, 9:10], spread(array, 5)):
            self.assert_same(view, self.model.logits(view.copy()))

    def test_the_order_of_channels(self):
        array = picture()
        expected = self.model.logits(array)
        self.assert_same(array, expected, format="rgb")
        self.assert_same(array[..., ::-1].copy(), expected, format="bgr")
        self.assert_same(np.dstack([array, array[..., 0]]), expected)
        self.assertTrue((self.model.logits(array, format="bgr") != expected).any())

    def test_gray(self):
        gray = picture()[..., 0]
        expected = self.model.logits(np.dstack([gray, gray, gray]))
        for array in (gray.copy(), gray.copy()[..., None]):
            self.assert_same(array, expected)
            self.assert_same(array, expected, format="gray")

    def test_yuv_in_every_layout(self):
        y, u, v = yuv_planes()
        height, width = y.shape
        y = y.copy()
        uv, vu = np.dstack([u, v]), np.dstack([v, u])
        i420 = np.concatenate([y.ravel(), u.ravel(), v.ravel()]).reshape(height * 3 // 2, width)
        expected = self.model.logits(i420, format="i420")
        self.assert_same(np.concatenate([y, uv.reshape(height // 2, width)]), expected, format="nv12")
        self.assert_same(np.concatenate([y, vu.reshape(height // 2, width)]), expected, format="nv21")
        self.assert_same([spread(y, 8), spread(u, 6), spread(v, 6)], expected, format="i420")
        self.assert_same((spread(y, 8), spread(uv, 4)), expected, format="nv12")
        self.assert_same((y, uv.reshape(height // 2, width)), expected, format="nv12")
        self.assert_same(vitrine.Frame((y, vu), "nv21"), expected)

    def test_yuyv(self):
        y, u, v = yuv_planes()
        # i420 has one chroma row per two rows; yuyv repeats it in each row.
        yuyv = np.empty((*y.shape, 2), np.uint8)
        yuyv[..., 0], yuyv[:, ::2, 1], yuyv[:, 1::2, 1] = y, u.repeat(2, 0), v.repeat(2, 0)
        self.assert_same(yuyv, self.model.logits((y.copy(), u, v), format="i420"), format="yuyv")

    def test_the_colours_of_yuv(self):
        y, u, v = yuv_planes()
        y, middle = y.copy(), np.full_like(u, 128)
        self.assert_same(vitrine.Frame((y, middle, middle), "i420", full_range=True), self.model.logits(y))
        found = {self.model.logits(vitrine.Frame((y, u, v), "i420", bt709=bt709, full_range=full)).tobytes()
                 for bt709 in (False, True) for full in (False, True)}
        self.assertEqual(len(found), 4)

    def test_a_crop_of_a_frame(self):
        array = picture()
        self.assert_same(vitrine.Frame(array, "rgb", crop=(20, 10, 100, 60)), self.model.logits(array[10:70, 20:120]))
        y, u, v = yuv_planes()
        part = y[8:72, 16:80].copy(), u[4:36, 8:40].copy(), v[4:36, 8:40].copy()
        self.assert_same(vitrine.Frame((y.copy(), u, v), "i420", crop=(16, 8, 64, 64)), self.model.logits(part, format="i420"))

    def test_the_input_itself(self):
        array = picture(128, 128)
        logits = self.model.logits(array, format="input")
        self.assert_same(array[::-1].copy()[::-1], logits, format="input")
        self.assertTrue((self.model.logits(array) != logits).any())   # the model resizes and crops this array

    def test_nothing_is_copied(self):
        array = picture(2000, 3000)
        for image, first in ((array, array), (array[100:, 200:], array[100:, 200:]), (array[::-1], array[-1:])):
            view, _ = view_of(image, None)
            self.assertEqual((int(vitrine.images.ffi.cast("uintptr_t", view.pixels)), view.stride_bytes),
                             (first.__array_interface__["data"][0], image.strides[0]))
        out = np.empty(6, np.float32)
        self.model.logits(array)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for image in (array, array[100:, 200:], array[::-1]):
            self.model.logits(image, out=out)
        self.assertLess(tracemalloc.get_traced_memory()[1], 100_000)

    def test_pixels_of_a_read_only_array(self):
        array = picture()
        array.flags.writeable = False
        self.assert_same(array, self.model.logits(array.copy()))


class RefusalTest(InAModel):
    def refuse(self, image, says, error=vitrine.InvalidArgument, **options):
        with self.assertRaises(vitrine.Error) as caught:
            self.model.classify(image, **options)
        self.assertIs(type(caught.exception), error)
        self.assertRegex(str(caught.exception), says)
        self.assertNotIn("\n", str(caught.exception))

    def test_what_is_no_picture(self):
        for image in (None, 7, object(), [], "", [None], {"a": 1}):
            with self.subTest(image=image), self.assertRaises(vitrine.Error):
                self.model.classify(image)
        self.refuse(None, "this is no array")
        self.refuse("nowhere.jpg", "nowhere.jpg", vitrine.NotFound)
        self.refuse(FOLDER / "tiny.vit", "tiny.vit", vitrine.InvalidImage)
        self.refuse("a\0b.jpg", "zero")
        self.refuse(b"", ".", vitrine.InvalidImage)
        self.refuse(b"no photo", ".", vitrine.InvalidImage)
        self.refuse(b"no photo", "format is for arrays", format="rgb")
        self.refuse("photo.jpg", "format is for arrays", format="rgb")

    def test_types(self):
        for kind in (np.float32, np.float64, np.int8, np.uint16, bool):
            self.refuse(picture().astype(kind), f"this is of {np.dtype(kind)}")

    def test_shapes(self):
        for shape in ((), (3,), (3, 64, 64), (64, 64, 2), (64, 64, 5), (2, 64, 64, 3)):
            self.refuse(np.zeros(shape, np.uint8), r"an image is \[height, width\]")
        for shape in ((0, 64, 3), (64, 0), (0,), (64, 64, 0)):
            self.refuse(np.zeros(shape, np.uint8), "no pixels")
        self.refuse(np.zeros((64, 64), np.uint8), r"bgr is \[height, width, 3\]", format="bgr")
        self.refuse(np.zeros((64, 64, 3), np.uint8), r"rgba is \[height, width, 4\]", format="rgba")
        self.refuse(np.zeros((64, 64, 3), np.uint8), r"the input is uint8 \[128, 128, 3\]", format="input")
        self.refuse(np.zeros((64, 64, 3), np.uint8), "no format 'hsv': choose from rgb, bgr", format="hsv")
        self.refuse([picture(), picture()], "rgb has one plane")

    def test_rows_with_gaps(self):
        array = picture()
        for view in (array[:, ::2], array[..., ::-1], array[:, ::-1], array[..., :2], array.transpose(1, 0, 2), array[..., 0]):
            options = {"format": "yuyv"} if view.shape[-1] == 2 else {}
            self.refuse(view, "rows must be without gaps", **options)

    def test_planes(self):
        y, u, v = yuv_planes()
        y = y.copy()
        self.refuse(np.zeros((95, 128), np.uint8), "height \\* 3 / 2", format="nv12")
        self.refuse(np.zeros((96, 127), np.uint8), "height \\* 3 / 2", format="i420")
        self.refuse(picture(96, 128), "height \\* 3 / 2", format="nv12")
        self.refuse(spread(np.zeros((96, 128), np.uint8), 2), "three planes", format="i420")
        self.refuse((y, u), "i420 has 3 planes", format="i420")
        self.refuse((y[:-1], u, v), "of an even size", format="i420")
        self.refuse((y, u[:-1], v), "half the height", format="i420")
        self.refuse((y, u, spread(v, 2)), "the same distance", format="i420")
        self.refuse((y, u), "half the height", format="nv12")

    def test_frames(self):
        array = picture()
        self.refuse(vitrine.Frame(array, "rgb"), "its format itself", format="bgr")
        for crop in ((0, 0, 0, 0), (0, 0, 10, 0), (0, 0, -1, 10), (-1, 0, 10, 10), (150, 0, 100, 10), (0, 0, 201, 150)):
            self.refuse(vitrine.Frame(array, "rgb", crop=crop), ".")

    def test_top(self):
        for top in (0, -1):
            self.refuse(picture(), "top is at least 1", top=top)
        self.assertEqual(len(self.model.classify(picture(), top=1000)), 6)


if __name__ == "__main__":
    unittest.main()
