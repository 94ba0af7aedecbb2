# SPDX-License-Identifier: Apache-2.0
"""Tests the summary and the reports of a conversion, and the flags that change the file."""
import hashlib
import html.parser
import json

import commands
from commands import FOLDER, ROOT, SAMPLES, convert, lines, vitrine

TINY = ROOT / "models/vit-tiny-waste"
OUT = FOLDER / "out.vit"


class Page(html.parser.HTMLParser):
    """Counts a page's tags; collects its text and the resources that it would load."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.loads, self.words = {}, [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.loads += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        self.words += data


class ConversionTest(commands.CommandTest):
    def convert(self, *arguments):
        return lines(convert(TINY, "-o", OUT, "--json", *arguments))[0]

    def inspect(self):
        return lines(vitrine("inspect", OUT, "--json"))[0]

    def test_the_summary_agrees_with_the_file(self):
        for recipe, least_db in (("dynamic", 35), ("f32", 90)):
            with self.subTest(recipe=recipe):
                summary = self.convert("--recipe", recipe)
                inspected = self.inspect()
                self.assertEqual(summary["output"], str(OUT))
                self.assertEqual(summary["file_bytes"], OUT.stat().st_size)
                for field in ("family", "recipe", "file_bytes", "macs", "parameters", "tokens"):
                    self.assertEqual(summary[field], inspected[field], field)
                self.assertEqual(summary["recipe"], recipe)
                self.assertGreater(summary["seconds"], 0)
                self.assertGreater(summary["sqnr_db"], least_db)
                self.assertEqual(summary["agreement"], 1)
                self.assertEqual([op["name"] for op in summary["ops"]], [op["name"] for op in inspected["ops"]])
                for op in summary["ops"]:
                    self.assertGreater(op["sqnr_db"], 10, op["name"])
                sha256 = hashlib.sha256((TINY / "model.safetensors").read_bytes()).hexdigest()
                self.assertEqual(inspected["source"]["sha256"], sha256)

    def test_the_same_checkpoint_gives_the_same_bytes(self):
        self.convert()
        first = OUT.read_bytes()
        self.convert()
        self.assertEqual(OUT.read_bytes(), first)

    def test_reports_as_json_and_as_a_page_that_loads_nothing(self):
        report, page = FOLDER / "report.json", FOLDER / "report.html"
        summary = self.convert("--report", report)
        self.assertEqual(commands.parse(report.read_text())["ops"], summary["ops"])
        self.convert("--report", page)
        found = Page(page.read_text())
        self.assertEqual(found.loads, [])
        types = {(op["kind"], op["type"]) for op in summary["ops"] if op["macs"] > 0}
        self.assertEqual(found.tags["tr"], len(summary["ops"]) + 1 + len(types) + 1)
        self.assertEqual(found.tags["rect"], len(summary["ops"]))
        for words in ("out.vit", "%.1f dB" % summary["sqnr_db"], "block 8 fc2", summary["source"]["sha256"]):
            self.assertIn(words, found.words)

    def test_the_text_names_the_error_of_int8(self):
        finished = convert(TINY, "-o", OUT)
        self.assertEqual((finished.returncode, finished.stderr), (0, ""))
        for words in (str(OUT), "8 blocks of width 192", "dB against f32", "synthetic test images", "worst layer"):
            self.assertIn(words, finished.stdout)

    def test_preprocessing_flags_reach_the_file(self):
        self.convert("--mean", "0.5,0.4,0.3", "--std", "0.2,0.25,0.5", "--interpolation", "bilinear", "--image-size", "96x64")
        image = self.inspect()["image"]
        self.assertEqual((image["height"], image["width"]), (96, 64))
        self.assertEqual(image["interpolation"].lower(), "bilinear")
        for name, values in (("mean", (0.5, 0.4, 0.3)), ("std", (0.2, 0.25, 0.5))):
            for found, given in zip(image[name], values, strict=True):
                self.assertAlmostEqual(found, given, places=6)

    def test_a_list_of_numbers_ends_before_the_checkpoint(self):
        finished = convert("--mean", "0.5,0.5,0.5", TINY, "-o", OUT, "--json")
        self.assertEqual(len(lines(finished)), 1)

    def test_labels_from_lines_and_from_json(self):
        names = ["box", "jar", "tin", "news", "bag", "rest & <b>"]
        as_lines, as_json = FOLDER / "labels.txt", FOLDER / "labels.json"
        as_lines.write_text("\n".join(names) + "\n")
        as_json.write_text(json.dumps({str(i): name for i, name in enumerate(names)}))
        for file in (as_lines, as_json):
            self.convert("--labels", file)
            self.assertEqual(self.inspect()["labels"], names)

    def test_the_error_is_measured_on_the_photos_for_calibration(self):
        summary = self.convert("--calibrate", ROOT / "models/samples", "--calibrate-images", 4)
        self.assertEqual((summary["images"], summary["synthetic_images"]), (4, False))
        self.assertGreater(summary["sqnr_db"], 25)
        self.assertEqual(self.inspect()["fidelity"]["images"], 4)

    def test_a_name_with_spaces_and_umlauts_works(self):
        file = FOLDER / "für unterwegs.vit"
        lines(convert(TINY, "-o", file, "--json"))
        photo = FOLDER / "mein Föto.jpg"
        photo.write_bytes(SAMPLES[0].read_bytes())
        self.assertEqual(lines(vitrine("classify", file, photo, "--json"))[0]["image"], str(photo))

    def test_help_names_every_flag(self):
        for words, flags in (
                ([commands.converter], "--config --preprocessor --mean --std --crop-pct --interpolation --labels --recipe --calibrate "
                                       "--image-size --heads --family --report --json --output"),
                ([*commands.vitrine_words, "classify"], "--top-k --threads --json --logits"),
                ([*commands.vitrine_words, "embed"], "--json"),
                ([*commands.vitrine_words, "bench"], "--threads --warmup-runs --num-runs --profile --json"),
                ([*commands.vitrine_words, "inspect"], "--json --self-test")):
            finished = commands.run([*words, "--help"])
            self.assertEqual((finished.returncode, finished.stderr), (0, ""))
            for flag in flags.split():
                self.assertIn(flag, finished.stdout)
            self.assertLessEqual(max(map(len, finished.stdout.splitlines())), 100)


if __name__ == "__main__":
    commands.main()
