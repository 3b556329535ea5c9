"""JSON laid out for people is the same JSON."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.json_text import laid_out

leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
documents = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


@given(documents)
def test_it_reads_as_what_was_written_and_is_ascii(document: Any) -> None:
    text = laid_out(document)
    assert json.loads(text) == document
    assert text.isascii()


def test_a_field_a_line_and_a_row_of_numbers_on_one() -> None:
    document = {"notes": ["é", 1], "none": [], "rows": [[1, None], [0.5, 2.0]], "inner": {"a": True, "b": {}}}
    assert laid_out(document).splitlines() == [
        "{",
        '  "notes": [',
        '    "\\u00e9",',
        "    1",
        "  ],",
        '  "none": [],',
        '  "rows": [',
        "    [1, null],",
        "    [0.5, 2.0]",
        "  ],",
        '  "inner": {',
        '    "a": true,',
        '    "b": {}',
        "  }",
        "}",
    ]


@pytest.mark.parametrize("document", [math.nan, [1.0, math.inf], {"a": [[-math.inf]]}])
def test_what_strict_json_cannot_hold_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        laid_out(document)
