# SPDX-License-Identifier: Apache-2.0
"""Tests vitrine eval: accuracy on labelled photos, every source of labels, and a comparison of two models."""
import shutil

import commands
from commands import FOLDER, ROOT, SAMPLES, lines, model, vitrine

CLASSES = ["cardboard", "glass", "metal", "paper", "plastic", "trash"]
# The class of each sample, from its file name.
TRUTH = {path: path.stem.split("_")[0] for path in SAMPLES}


def labelled(name, folder_of):
    """Creates a folder that contains each sample in the folder `folder_of(class)`."""
    root = FOLDER / name
    for path, truth in TRUTH.items():
        (root / folder_of(truth)).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / folder_of(truth) / path.name)
    return root


class EvalTest(commands.CommandTest):
    def test_labels_by_name_by_number_by_order_and_in_a_list_mean_the_same(self):
        vit = model("vit-tiny-waste")
        top = {path: lines(vitrine("classify", vit, path, "--json"))[0]["top"] for path in SAMPLES}
        right = sum(top[path][0]["label"] == TRUTH[path] for path in SAMPLES) / len(SAMPLES)
        in_five = sum(TRUTH[path] in [guess["label"] for guess in top[path]] for path in SAMPLES) / len(SAMPLES)
        table = FOLDER / "table.csv"
        table.write_text("".join(f"{path},{truth}\n" for path, truth in TRUTH.items()))
        tabbed = FOLDER / "table.tsv"
        tabbed.write_text("# photo, class\n\n" + "".join(f"{path}\t{CLASSES.index(truth)}\n" for path, truth in TRUTH.items()))
        for words in ([labelled("names", str)], [labelled("shouted", lambda truth: truth.upper())],
                      [labelled("numbers", lambda truth: str(CLASSES.index(truth)))],
                      [labelled("order", lambda truth: f"n0144000{CLASSES.index(truth)}")], ["--list", table], ["--list", tabbed]):
            with self.subTest(words=words):
                result, = lines(vitrine("eval", vit, *words, "--json"))
                self.assertEqual(result["images"], len(SAMPLES))
                self.assertAlmostEqual(result["top1"], right)
                self.assertAlmostEqual(result["top5"], in_five)
                self.assertEqual(sum(entry["images"] for entry in result["confusion"]), len(SAMPLES))
                on_diagonal = sum(entry["images"] for entry in result["confusion"] if entry["label"] == entry["answer"])
                self.assertEqual(on_diagonal, round(right * len(SAMPLES)))
                self.assertGreater(result["latency_ms"]["p50"], 0)
        text = vitrine("eval", vit, FOLDER / "names")
        self.assertEqual((text.returncode, text.stderr), (0, ""))
        self.assertIn(f"top-1     {100 * right:.2f}%", text.stdout)
        self.assertIn("sorted order", vitrine("eval", vit, FOLDER / "order").stdout)
        self.assertIn("sorted order", lines(vitrine("eval", vit, FOLDER / "order", "--json"))[0]["note"])

    def test_folders_of_other_names_are_other_classes(self):
        german = dict(zip(CLASSES, ("Pappe", "Glas", "Metall", "Papier", "Kunststoff", "Restmuell")))
        failed = vitrine("eval", model("vit-tiny-waste"), labelled("german", german.get), "--json")
        self.assertEqual((failed.returncode, failed.stdout, failed.stderr.count("\n")), (1, "", 1))
        self.assertIn("the folder's name is none of the model's 6 classes (cardboard, glass", failed.stderr)

    def test_the_table_cuts_no_letter_in_two(self):
        names = ["Käsekästchenbrättchen", "Glas", "Métal", "Бумага и картон разные", "塑料", "Restmüll"]
        (FOLDER / "names.txt").write_text("\n".join(names), encoding="utf-8")
        vit = FOLDER / "named.vit"
        lines(commands.convert(ROOT / "models/vit-tiny-waste", "-o", vit, "--labels", FOLDER / "names.txt", "--json"))
        said = vitrine("eval", vit, labelled("translated", dict(zip(CLASSES, names)).get)).stdout
        self.assertIn("\n  Käsekästchenbrättc ", said)
        self.assertIn("\n  Бумага и картон ра ", said)
        self.assertIn(" Käsekäst     Glas    Métal Бумага и       塑料 Restmüll ", said)
        self.assertNotIn("\ufffd", said)

    def test_links_to_folders_are_followed_but_not_in_circles(self):
        linked = FOLDER / "linked"
        linked.mkdir()
        for folder in labelled("elsewhere", str).iterdir():
            (linked / folder.name).symlink_to(folder)
            (folder / "again").symlink_to(linked)
        result, = lines(vitrine("eval", model("vit-tiny-waste"), linked, "--json"))
        self.assertEqual(result["images"], len(SAMPLES))

    def test_two_models_side_by_side(self):
        dynamic, f32 = model("vit-tiny-waste"), model("vit-tiny-waste", "f32")
        photos = ROOT / "models/samples"
        result, = lines(vitrine("eval", dynamic, photos, "--against", f32, "--json"))
        against = result["against"]
        self.assertNotIn("top1", result)   # the photos have no labels
        self.assertGreater(against["sqnr_db"], 20)
        for entry in against["differences"]:
            self.assertNotEqual(entry["top"][0]["label"], entry["against"][0]["label"])
        self.assertAlmostEqual(against["agreement"], 1 - len(against["differences"]) / result["images"])
        same, = lines(vitrine("eval", f32, photos, "--against", f32, "--json"))
        self.assertEqual((same["against"]["agreement"], same["against"]["differences"]), (1, []))
        self.assertIn("against", vitrine("eval", dynamic, photos, "--against", f32).stdout)

    def test_what_cannot_be_evaluated(self):
        vit = model("vit-tiny-waste")
        strange, some = FOLDER / "strange", FOLDER / "some.csv"
        for name in ("glass", "teapot"):
            (strange / name).mkdir(parents=True)
            shutil.copy(SAMPLES[0], strange / name)
        some.write_text(f"{SAMPLES[0]},glass\n{SAMPLES[1]}\n")
        wrong = FOLDER / "wrong.csv"
        wrong.write_text(f"{SAMPLES[0]},teapot\n")
        empty = FOLDER / "nothing"
        empty.mkdir()
        for words, says in (([strange], "teapot: the folder's name is none of the model's 6 classes (cardboard"),
                            ([empty], "has no photo"), ([FOLDER / "missing"], "not a folder"), ([SAMPLES[0]], "not a folder"),
                            ([ROOT / "models/samples"], "--against"), (["--list", wrong], "wrong.csv:1: 'teapot'"),
                            (["--list", some], "some.csv:2"), (["--list", empty / "x"], "No such file"),
                            ([ROOT / "models/samples", "--against", commands.tiny_model()], "outputs")):
            with self.subTest(words=words):
                self.assert_failure(vitrine("eval", vit, *words), says=says)
        self.assert_failure(vitrine("eval", vit), code=2, says="DIR or --list")
        self.assert_failure(vitrine("eval", vit, strange, "--list", wrong), code=2)

    def test_a_photo_that_cannot_be_read_is_named_and_left_out(self):
        folder = labelled("damaged", str)
        (folder / "glass/broken.jpg").write_bytes(b"no photo")
        finished = vitrine("eval", model("vit-tiny-waste"), folder, "--json")
        self.assert_failure(finished, says="broken.jpg")
        result = commands.parse(finished.stdout)
        self.assertEqual((result["images"], result["unreadable"]), (len(SAMPLES), 1))


if __name__ == "__main__":
    commands.main()
