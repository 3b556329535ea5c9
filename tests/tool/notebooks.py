"""Notebooks for the tests, written by nbformat."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import nbformat
from nbformat import v4


def notebook(*cells: str | dict[str, Any], metadata: dict[str, Any] | None = None) -> bytes:
    """An .ipynb of these cells: a text is a code cell, one that begins with "md:" a text cell."""
    made = [cell if isinstance(cell, dict) else _cell(cell) for cell in cells]
    return nbformat.writes(v4.new_notebook(cells=made, metadata=metadata or {})).encode()


def _cell(text: str) -> Any:
    return v4.new_markdown_cell(text[3:]) if text.startswith("md:") else v4.new_code_cell(text)


def run_cell(source: str, *outputs: Any, count: int | None = 1) -> Any:
    """A code cell with saved outputs."""
    return v4.new_code_cell(source, outputs=list(outputs), execution_count=count)


def printed(text: str, name: str = "stdout") -> Any:
    """What a cell printed."""
    return v4.new_output("stream", name=name, text=text)


def raw(cells: Sequence[dict[str, Any]], **top: Any) -> bytes:
    """An .ipynb without nbformat's own order and checks."""
    return json.dumps(
        {"cells": list(cells), "nbformat": 4, "nbformat_minor": 5, "metadata": {}} | top
    ).encode()
