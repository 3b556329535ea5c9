"""What mkdocs does not do by itself: pages made from the code, the files beside the documentation, links out of it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from scripts.docs_reference import pages  # noqa: E402

BESIDE = ("SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md")
"""Pages of the repository's top level that the site has too."""
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are no files below docs/."""
    for name in BESIDE:
        text = (REPOSITORY / name).read_text("utf-8").replace("](docs/", "](")
        files.append(File.generated(config, name, content=text))
    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """A link to a file of the repository that the site does not have becomes its name."""

    def rewritten(match: re.Match[str]) -> str:
        text, target = match[1], match[2]
        path, _, anchor = target.partition("#")
        if not path or "://" in path or path.startswith("mailto:"):
            return match[0]
        inside = path.removeprefix("../") if page.file.src_uri.count("/") == 0 else path
        if inside in BESIDE:
            return f"[{text}]({inside}{'#' + anchor if anchor else ''})"
        here = REPOSITORY if page.file.src_uri in BESIDE else REPOSITORY / "docs"
        outside = (here / path).resolve()
        if outside.exists() and not outside.is_relative_to(REPOSITORY / "docs"):
            return text if text.startswith("`") else f"{text} (`{outside.relative_to(REPOSITORY)}`)"
        return match[0]

    return _LINK.sub(rewritten, markdown)
