# SPDX-License-Identifier: Apache-2.0
"""Tests that files of every format version still run and that inspect draws their contents."""
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import commands
from commands import ROOT, SAMPLES, lines, vitrine

FILES = sorted((ROOT / "tests/fixtures/format").glob("*.vit"))


class Balance(HTMLParser):
    """Counts the open tags and collects the text of the page's titles."""
    def __init__(self):
        super().__init__()
        self.open, self.shapes, self.links = [], 0, []

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "line") and not self.get_starttag_text().rstrip().endswith("/>"):
            self.open.append(tag)
        self.shapes += tag == "rect"
        self.links += [value for name, value in attributes if name in ("src", "href")]

    def handle_startendtag(self, tag, attributes):
        self.shapes += tag == "rect"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


class FormatTest(commands.CommandTest):
    def test_files_of_every_version_give_their_reference_output(self):
        self.assertEqual([file.stem for file in FILES], ["1.0", "1.1", "1.2", "1.3"])
        answers = []
        for file in FILES:
            with self.subTest(version=file.stem):
                said = lines(vitrine("inspect", file, "--self-test", "--json"))[0]
                self.assertEqual(said["format"], file.stem)
                answers.append(lines(vitrine("classify", file, SAMPLES[0], "--json", "--logits", "--packed", "none"))[0]["logits"])
        for logits in answers:
            for found, expected in zip(logits, answers[-1]):
                self.assertAlmostEqual(found, expected, delta=0.02)

    def test_inspect_draws_operators_and_arena(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.html"
            ops = lines(vitrine("inspect", FILES[-1], "--html", page, "--json"))[0]["ops"]
            text, balance = page.read_text(), Balance()
            balance.feed(text)
            self.assertGreater(balance.shapes, 2 * len(ops))
            self.assertEqual(balance.links, [])   # the page loads no other file
            for op in ops:
                self.assertIn(op["name"], text)
            self.assertEqual([path.name for path in Path(folder).iterdir()], ["page.html"])
        self.assert_failure(vitrine("inspect", FILES[-1], "--html", "/nowhere/page.html"), says="cannot be written")


if __name__ == "__main__":
    commands.main()
