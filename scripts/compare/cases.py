"""The one question of the comparison, the same for each grader: softmax of a row of numbers."""

import math

ROWS = [[1.0, 2.0, 3.0], [0.5, -1.5, 0.0, 2.0], [-3.0, 4.0]]
HIDDEN = [[1000.0, 1001.0], [-5.0, 0.0, 5.0]]


def reference_softmax(row):
    largest = max(row)
    powers = [math.exp(x - largest) for x in row]
    return [p / sum(powers) for p in powers]
