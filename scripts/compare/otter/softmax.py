from otter.test_files import test_case

OK_FORMAT = False
name = "softmax"
points = 5


@test_case(points=None)
def test_softmax(softmax):
    import math

    import numpy

    def reference_softmax(row):
        largest = max(row)
        powers = [math.exp(x - largest) for x in row]
        return [p / sum(powers) for p in powers]

    for row in [[1.0, 2.0, 3.0], [0.5, -1.5, 0.0, 2.0], [-3.0, 4.0], [1000.0, 1001.0], [-5.0, 0.0, 5.0]]:
        expected = reference_softmax(row)
        assert numpy.allclose(softmax(row), expected, atol=1e-9)
