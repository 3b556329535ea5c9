"""Pictures: the geometry says what the numbers say, and numbers of any kind can be drawn."""

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Plot
from grader.render.cells import cells, data_cells
from grader.render.curves import curves, nice_ticks
from grader.render.heatmap import MAX_CELLS, MAX_PANELS, heatmap
from tests.tool import reports

numbers = st.none() | st.floats() | st.integers() | st.booleans() | st.text(max_size=3)
anything = st.recursive(numbers, lambda inner: st.lists(inner, max_size=4), max_leaves=12)


@given(st.dictionaries(st.text(max_size=5), anything, max_size=8))
def test_any_values_can_be_drawn(series: dict[str, Any]) -> None:
    for draw in (heatmap, curves):
        picture = draw(Plot("any", "t", series=series))
        coordinates = [v for line in picture.lines for point in line.points for v in point]
        coordinates += [v for panel in picture.panels for cell in panel.cells for v in (cell.x, cell.y)]
        assert all(math.isfinite(v) for v in coordinates)
        assert picture.tables or picture.note


@pytest.mark.parametrize("huge", [1.7e308, -1.5000000005000003e308, float("inf")])
def test_a_value_too_large_for_an_axis_is_a_gap_and_stays_in_the_table(huge: float) -> None:
    picture = curves(Plot("curves", "t", series={"a": [0.5, huge, 0.75]}))
    assert [len(line.points) for line in picture.lines] == [2]
    assert picture.tables[0].rows[1] == ("2", (f"{huge:.4g}",))
    assert curves(Plot("curves", "t", series={"a": [huge]})).note == "There are no numbers to draw."


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_ticks_enclose_the_values_and_are_few(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    ticks = nice_ticks(low, high)
    slack = 1e-6 * (ticks[-1] - ticks[0])
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= 12
    assert ticks == sorted(set(ticks))


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.7217, 0.9658, [0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0]),
        (0.0, 0.0, [-1.0, -0.5, 0.0, 0.5, 1.0]),
        (0.0, 5e-324, [-1.0, -0.5, 0.0, 0.5, 1.0]),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert nice_ticks(low, high) == pytest.approx(ticks)


def test_a_heatmap_shares_one_scale_and_writes_values_where_they_fit() -> None:
    picture = heatmap(reports.masked_heatmap())
    assert [panel.title for panel in picture.panels] == ["expected", "yours", "absolute difference"]
    cell = picture.panels[0].cells[2]
    assert (cell.text, cell.on_dark, cell.fill) == ("0.86", True, "#185669")
    assert (picture.scale_low, picture.scale_high) == ("-0.8628", "0.8628")
    shared = heatmap(Plot("heatmap", "t", series={"large": [[2.0, 1.0]], "small": [[1.0]]}))
    assert shared.panels[1].cells[0].fill == shared.panels[0].cells[1].fill
    wide = heatmap(reports.encoding_heatmap())
    assert not any(cell.text for cell in wide.panels[0].cells)
    assert wide.tables[0].rows[0][1][:2] == ("0", "1")


def test_an_error_map_starts_at_zero() -> None:
    picture = heatmap(Plot("heatmap", "errors", series={"error": [[0.0, 4e-4], [1e-4, 2e-4]]}))
    assert (picture.scale_low, picture.scale_high) == ("0", "0.0004")
    assert [cell.text for cell in picture.panels[0].cells] == ["0", "4e-4", "1e-4", "2e-4"]


def test_values_that_are_no_numbers_are_told_apart_from_the_scale() -> None:
    picture = heatmap(Plot("heatmap", "t", series={"a": [[math.nan, math.inf, -math.inf, None, 1.0]]}))
    assert [(cell.text, bool(cell.fill)) for cell in picture.panels[0].cells] == [
        ("NaN", False),
        ("∞", False),
        ("−∞", False),
        ("–", False),
        ("1.00", True),
    ]


def test_a_cell_has_its_place_and_a_text_the_colour_that_can_be_read_on_it() -> None:
    panel = heatmap(Plot("heatmap", "t", series={"a": [[2.0, 0.0, None]]})).panels[0]
    dark, light, gap = [line.strip() for line in re.split(r"\n(?= *<rect)", cells(panel, 15.0, 18.0))]
    assert dark.startswith('<rect class="cell" x="15.0" y="18.0" width="36.0" height="26.0" fill="#185669"/>')
    assert dark.endswith('<text class="in-cell light" x="33.0" y="34.5">2.00</text>')
    assert light.endswith('<text class="in-cell" x="69.0" y="34.5">0</text>')
    assert gap.startswith('<rect class="void" x="88.0" y="19.0" width="34.0" height="24.0"/>')
    assert gap.endswith('<text class="in-cell void-text" x="105.0" y="34.5">–</text>')


def test_a_row_of_figures_is_a_row_of_cells_and_no_markup() -> None:
    assert data_cells(("1", "<b>")) == "<td>1</td><td>&lt;b&gt;</td>"
    assert data_cells(()) == ""


def test_large_pictures_are_cut_and_say_so() -> None:
    big = heatmap(Plot("heatmap", "t", series={str(k): [[1.0] * 500] * 500 for k in range(9)}))
    assert len(big.panels) == MAX_PANELS
    assert len(big.panels[0].cells) == MAX_CELLS**2
    assert "Only the first" in big.note
    long = curves(Plot("curves", "t", series={"a": [1.0, 2.0] * 5000}))
    assert "Only the first" in long.note


def test_a_gap_in_the_values_is_a_gap_in_the_line() -> None:
    line = curves(Plot("curves", "t", series={"a": [1.0, 2.0, None, 3.0, math.nan, 4.0]})).lines[0]
    assert line.path.count("M") == 3
    assert len(line.points) == 4


def test_higher_values_stand_higher_and_later_ones_further_right() -> None:
    points = curves(reports.training_curves()).lines[0].points
    xs, ys = zip(*points, strict=True)
    assert list(xs) == sorted(xs)
    assert list(ys) == sorted(ys, reverse=True)


def test_one_point_stands_in_the_middle() -> None:
    picture = curves(Plot("curves", "t", series={"a": [0.5]}))
    assert picture.lines[0].points[0][0] == pytest.approx(200.0)
    assert [tick.label for tick in picture.x_ticks] == ["1"]
