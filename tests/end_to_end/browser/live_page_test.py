# SPDX-License-Identifier: Apache-2.0
"""Tests the live page in a browser: it updates, its switch shows the attention map, and it reports no errors.

Needs Debian's chromium, chromium-driver and python3-selenium. Writes screenshots of the page to build/screenshots for review.
"""
import re
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "commands"))
import commands

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

SCREENSHOTS = commands.ROOT / "build/screenshots"
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}


class LivePageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        words = [*commands.vitrine_words, "camera", commands.model("vit-tiny-waste"), "--source", commands.ROOT / "models/samples", "--fps", 5, "--json", "--listen", "0.0.0.0:0"]
        cls.camera = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = cls.camera.stderr.readline()
        _, port, cls.token = re.search(r"http://([^/]+):(\d+)/\?token=(\w+)", said).groups()
        cls.url = f"http://127.0.0.1:{port}/?token={cls.token}"
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        cls.browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)

    @classmethod
    def tearDownClass(cls):
        began = time.monotonic()
        cls.camera.send_signal(signal.SIGTERM)   # while the page is open
        assert cls.camera.wait(timeout=20) == 0 and time.monotonic() - began < 1
        cls.browser.quit()
        cls.camera.stderr.close()

    def open(self, size="desktop", scheme="light"):
        width, height = SIZES[size]
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1,
                                                                            "mobile": size == "phone"})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.browser.get(self.url)
        self.wait_for("picture.naturalWidth > 0 && picture.classList.contains('there')")

    def script(self, words):
        return self.browser.execute_script(words)

    def wait_for(self, condition, seconds=20):
        until = time.monotonic() + seconds
        while not self.script(f"return {condition}"):
            self.assertLess(time.monotonic(), until, condition)
            time.sleep(0.05)

    def values_of(self, expression, seconds=3):
        """Returns the distinct values of an expression during this time."""
        seen, until = set(), time.monotonic() + seconds
        while time.monotonic() < until:
            seen.add(self.script(f"return {expression}"))
            time.sleep(0.05)
        return seen

    def ink(self, canvas):
        """Returns the number of pixels drawn on a canvas and the sum of their bytes."""
        return self.script(f"""const canvas = document.querySelector('{canvas}');
          const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          let pixels = 0, sum = 0;
          for (let i = 0; i < data.length; i += 4) {{ pixels += data[i + 3] > 0; sum += (i % 8191) * data[i + 3]; }}
          return [pixels, sum];""")

    def test_moves(self):
        self.open()
        self.assertGreater(len(self.values_of("picture.src")), 3)
        self.assertGreater(len(self.values_of("document.querySelector('#bars i').style.width")), 2)
        self.assertGreater(len(self.values_of("label.textContent")), 1)
        for plot in ("#latency canvas", "#fps canvas"):
            before = self.ink(plot)
            samples = self.script(f"return Number(document.querySelector('{plot}').dataset.samples)")
            time.sleep(1.5)
            self.assertNotEqual(self.ink(plot), before)
            self.assertGreater(self.script(f"return Number(document.querySelector('{plot}').dataset.samples)"), samples + 2)
        self.assertEqual(self.script("return camera.dataset.state"), "live")
        self.assertNotIn("token", self.browser.current_url, "the address bar shows the token")

    def test_the_switch_shows_where_the_model_looks(self):
        self.open()
        button = self.browser.find_element(By.ID, "attention")
        canvas = self.browser.find_element(By.ID, "heatmap")
        self.assertEqual((button.get_attribute("aria-checked"), canvas.is_displayed()), ("false", False))
        button.click()
        self.wait_for("Number(heatmap.dataset.drawn) > 2")
        self.assertEqual((button.get_attribute("aria-checked"), canvas.is_displayed()), ("true", True))
        pixels, _ = self.ink("#heatmap")
        self.assertGreater(pixels, 0.9 * canvas.size["width"] * canvas.size["height"])
        rectangles = self.script("""const box = heatmap.getBoundingClientRect(), image = picture.getBoundingClientRect();
          const scale = Math.min(image.width / picture.naturalWidth, image.height / picture.naturalHeight);
          return [box.width - picture.naturalWidth * scale, box.height - picture.naturalHeight * scale,
                  box.x + box.width / 2 - image.x - image.width / 2, box.y + box.height / 2 - image.y - image.height / 2];""")
        self.assertTrue(all(abs(value) < 1.5 for value in rectangles), rectangles)
        button.click()
        self.assertFalse(canvas.is_displayed())

    def test_every_size_and_scheme(self):
        for size, (width, _) in SIZES.items():
            grounds = set()
            for scheme in ("light", "dark"):
                self.open(size, scheme)
                if scheme == "dark":
                    self.browser.find_element(By.ID, "attention").click()
                    self.wait_for("Number(heatmap.dataset.drawn) > 2")
                self.assertEqual(self.script("return document.documentElement.scrollWidth"), width, "it scrolls sideways")
                grounds.add(self.script("return getComputedStyle(document.documentElement).backgroundColor"))
                SCREENSHOTS.mkdir(parents=True, exist_ok=True)
                (SCREENSHOTS / f"{size}-{scheme}.png").write_bytes(self.browser.get_screenshot_as_png())
            self.assertEqual(len(grounds), 2)

    def tearDown(self):
        said = [entry["message"] for entry in self.browser.get_log("browser")]
        self.assertEqual([line for line in said if "getImageData" not in line], [])   # ink() calls it, not the page
        names = self.script("return performance.getEntriesByType('resource').map(entry => entry.name)")
        self.assertEqual([name for name in names if not name.startswith((self.url.split("?")[0], "blob:"))], [])


if __name__ == "__main__":
    commands.main()
