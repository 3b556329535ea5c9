import math

import check50
import check50.py


def reference_softmax(row):
    largest = max(row)
    powers = [math.exp(x - largest) for x in row]
    return [p / sum(powers) for p in powers]


@check50.check()
def softmax():
    """softmax computes what the formula says"""
    import numpy

    handed_in = check50.py.import_("softmax.py")
    for row in [[1.0, 2.0, 3.0], [0.5, -1.5, 0.0, 2.0], [-3.0, 4.0], [1000.0, 1001.0], [-5.0, 0.0, 5.0]]:
        expected = reference_softmax(row)
        if not numpy.allclose(handed_in.softmax(row), expected, atol=1e-9):
            raise check50.Failure("softmax is wrong")
