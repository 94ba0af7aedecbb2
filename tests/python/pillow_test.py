# SPDX-License-Identifier: Apache-2.0
"""Tests Pillow's images: each mode gives the same result as the file's path."""
import io
import shutil
import struct
import tempfile
import unittest
import warnings
import zlib
from pathlib import Path

import numpy as np
import vitrine
from fixture import FOLDER, SAMPLES, TINY, picture
from PIL import Image

PICTURE = Image.fromarray(picture())
ALPHA = Image.fromarray(picture(channels=1)[..., 0])
GRAY = picture(channels=1)[..., 0].astype(np.uint16) * 256 + np.arange(200, dtype=np.uint16)
ORIENTATION = 0x0112


def exif(orientation):
    made = Image.Exif()
    made[ORIENTATION] = orientation
    return made


def with_alpha(mode):
    made = PICTURE.convert(mode)
    made.putalpha(ALPHA)
    return made


def write_png16(path, samples, kind):
    """Writes 16-bit samples of any kind; Pillow writes only gray ones."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    chunks = (b"IHDR", struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], 16, kind, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks))


class PillowTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = vitrine.Model(TINY, threads=1)
        cls.addClassCleanup(cls.model.close)
        cls.folder = Path(tempfile.mkdtemp(dir=FOLDER))
        cls.addClassCleanup(shutil.rmtree, cls.folder)

    def assert_as_the_path(self, name, mode):
        path = self.folder / name
        with Image.open(path) as image:
            self.assertEqual(image.mode, mode, name)
            np.testing.assert_array_equal(self.model.logits(image), self.model.logits(path), name)

    def test_modes_of_files(self):
        for name, image, mode, options in (
                ("rgb.png", PICTURE, "RGB", {}), ("l.png", PICTURE.convert("L"), "L", {}), ("la.png", with_alpha("LA"), "LA", {}),
                ("rgba.png", with_alpha("RGBA"), "RGBA", {}), ("1.png", PICTURE.convert("1"), "1", {}), ("1.bmp", PICTURE.convert("1"), "1", {}),
                ("p.png", PICTURE.convert("P"), "P", {}), ("p.bmp", PICTURE.convert("P"), "P", {}), ("l.pgm", PICTURE.convert("L"), "L", {}),
                ("p-4-bits.png", PICTURE.quantize(8), "P", {"bits": 4}), ("p-one-clear.png", PICTURE.convert("P"), "P", {"transparency": 3}),
                ("p-alpha.png", PICTURE.convert("P"), "P", {"transparency": bytes(range(256))}),
                ("rgb-one-clear.png", PICTURE, "RGB", {"transparency": (10, 20, 30)}), ("cmyk.jpg", PICTURE.convert("CMYK"), "CMYK", {}),
                ("l.jpg", PICTURE.convert("L"), "L", {}), ("rgb.jpg", PICTURE, "RGB", {})):
            image.save(self.folder / name, **options)
            self.assert_as_the_path(name, mode)

    def test_sixteen_bits(self):
        Image.fromarray(GRAY).save(self.folder / "gray.png")
        self.assert_as_the_path("gray.png", "I;16")
        Image.fromarray(GRAY).save(self.folder / "gray.pgm")
        self.assert_as_the_path("gray.pgm", "I")
        (self.folder / "thousand.pgm").write_bytes(b"P5 200 150 1000\n" + (GRAY // 66).astype(">u2").tobytes())
        self.assert_as_the_path("thousand.pgm", "I")
        color = picture().astype(np.uint16) * 256 + GRAY[..., None] % 256
        (self.folder / "color.ppm").write_bytes(b"P6 200 150 65535\n" + color.astype(">u2").tobytes())
        self.assert_as_the_path("color.ppm", "RGB")
        write_png16(self.folder / "color.png", color, 2)
        self.assert_as_the_path("color.png", "RGB")
        expected = self.model.logits((GRAY >> 8).astype(np.uint8))
        for image in (Image.fromarray(GRAY), Image.fromarray(GRAY.astype(">u2")), Image.open(self.folder / "gray.png")):
            np.testing.assert_array_equal(self.model.logits(image), expected)

    def test_orientations(self):
        for orientation in range(1, 10):
            for kind in ("jpg", "png"):
                name = f"{orientation}.{kind}"
                PICTURE.save(self.folder / name, exif=exif(orientation))
                self.assert_as_the_path(name, "RGB")
        turned = self.model.logits(self.folder / "6.png")
        self.assertTrue((turned != self.model.logits(self.folder / "1.png")).any())
        Image.fromarray(GRAY).save(self.folder / "gray-turned.png", exif=exif(6))
        self.assert_as_the_path("gray-turned.png", "I;16")

    def test_damaged_orientations(self):
        whole = exif(6).tobytes()
        for block in (b"Exif\0\0", b"Exif\0\0garbagegarbage", whole[:16], whole[:-3], whole[:6] + b"II*\0\xff\xff\xff\xff"):
            for kind in ("JPEG", "PNG"):
                file = io.BytesIO()
                PICTURE.save(file, kind, exif=block)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # Pillow warns about the block
                    np.testing.assert_array_equal(self.model.logits(Image.open(file)), self.model.logits(file.getvalue()))

    def test_what_has_no_white_is_refused(self):
        for mode in ("I", "F"):
            with self.assertRaisesRegex(vitrine.InvalidArgument, f"mode {mode} does not say what is white"):
                self.model.classify(PICTURE.convert(mode))
        with self.assertRaisesRegex(vitrine.InvalidArgument, "mode La is to be converted to RGB first"):
            self.model.classify(PICTURE.convert("LA").convert("La"))

    def test_the_sample_photos(self):
        for path in SAMPLES:
            with Image.open(path) as photo:
                expected = self.model.logits(path)
                np.testing.assert_array_equal(self.model.logits(photo), expected)
                np.testing.assert_array_equal(self.model.logits(photo.convert("RGBA")), expected)
                np.testing.assert_array_equal(self.model.logits(vitrine.Frame(photo, "rgb", crop=(0, 0, *photo.size))), expected)


if __name__ == "__main__":
    unittest.main()
