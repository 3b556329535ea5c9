"""The usual way: pytest imports the hand-in and compares. GRADED names the file."""

import importlib.util
import os

import numpy
import pytest
from cases import HIDDEN, ROWS, reference_softmax

spec = importlib.util.spec_from_file_location("handed_in", os.environ["GRADED"])
handed_in = importlib.util.module_from_spec(spec)
spec.loader.exec_module(handed_in)


@pytest.mark.parametrize("row", ROWS + HIDDEN)
def test_softmax(row):
    expected = reference_softmax(row)
    assert numpy.allclose(handed_in.softmax(row), expected, atol=1e-9)
