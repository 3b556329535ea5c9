"""The pictures of the docs, made anew: class book and review of a class that does not exist.

    python scripts/screenshots.py [--students 120]

Grades the class (parts 2 and 4), marks some answers, opens both pages in Chromium and writes docs/images/class-book.png
and docs/images/review.png.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

REPOSITORY = Path(__file__).resolve().parent.parent
IMAGES = REPOSITORY / "docs" / "images"
WIDTH = 1280


def grade(*arguments: str, folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "grader", *arguments], cwd=folder, check=True)


def review(page: Page, folder: Path) -> None:
    """Mark the first answers by keyboard, and take the picture of the next."""
    command = [sys.executable, "-m", "grader", "review"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        address = next(found.group() for line in process.stdout if (found := re.search(r"http://\S+", line)))
        page.goto(address)
        page.wait_for_selector("#item:not([hidden])")
        for points in "4324":
            page.keyboard.press(points)
            page.keyboard.press("Enter")
        expect(page.locator("#progress")).to_contain_text("4 of")
        page.wait_for_timeout(300)
        page.keyboard.press("3")
        page.locator("#reason").fill("The chain rule is there; say also what is optimised.")
        page.screenshot(path=IMAGES / "review.png")
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--students", type=int, default=120)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        folder = Path(work)
        make = [
            sys.executable,
            str(REPOSITORY / "scripts" / "make_class.py"),
            str(options.students),
            "class.zip",
        ]
        subprocess.run(make, cwd=folder, check=True)
        grade("class.zip", "--part", "2", "--part", "4", "--seed", "1", folder=folder)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": WIDTH, "height": 820}).new_page()
        review(page, folder)
        grade("class", folder=folder)
        page.set_viewport_size({"width": WIDTH, "height": 1150})
        page.goto((folder / "reports" / "class.html").as_uri())
        page.screenshot(path=IMAGES / "class-book.png")
        browser.close()


if __name__ == "__main__":
    main()
