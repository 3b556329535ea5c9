"""Part 2: the arrays that the handout publishes for 2c and 2d, and how far anybody's are from them.

The arrays were computed in train mode with dropout 0.1 on an Intel CPU, and printed with four decimals: see
`dropout_stream`, which replays its draws on any CPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

LIMIT = 1e-3
"""What the handout calls right: a relative error below this."""


class Handout(NamedTuple):
    """The handout's arrays of 2c, or somebody's, each (1, 3, 8)."""

    self: Tensor
    masked: Tensor
    cross: Tensor


PUBLISHED = Handout(
    self=torch.tensor(
        [
            [
                [-0.2494, 0.1396, 0.4323, -0.2411, -0.1547, 0.2329, -0.1936, -0.1444],
                [-0.1997, 0.1746, 0.7377, -0.3549, -0.2657, 0.2693, -0.2541, -0.2476],
                [-0.0625, 0.1503, 0.7572, -0.3974, -0.1681, 0.2168, -0.2478, -0.3038],
            ]
        ],
        dtype=torch.float64,
    ),
    masked=torch.tensor(
        [
            [
                [-0.1347, 0.1934, 0.8628, -0.4903, -0.2614, 0.2798, -0.2586, -0.3019],
                [-0.1013, 0.3111, 0.5783, -0.3248, -0.3842, 0.1482, -0.3628, -0.1496],
                [-0.2071, 0.1669, 0.7097, -0.3152, -0.3136, 0.2520, -0.2774, -0.2208],
            ]
        ],
        dtype=torch.float64,
    ),
    cross=torch.tensor(
        [
            [
                [-0.1980, 0.4083, 0.1968, -0.3477, 0.0321, 0.4258, -0.8972, -0.2744],
                [-0.1603, 0.4155, 0.2295, -0.3485, -0.0341, 0.3929, -0.8248, -0.2767],
                [-0.0908, 0.4113, 0.3017, -0.3539, -0.1020, 0.3784, -0.7189, -0.2912],
            ]
        ],
        dtype=torch.float64,
    ),
)

PUBLISHED_ENCODING = torch.tensor(
    [
        [
            [-1.2340, 1.1127, 1.6978, -0.0865, -0.0000, 1.2728],
            [0.9028, -0.4781, 0.5535, 0.8133, 1.2644, 1.7034],
        ]
    ],
    dtype=torch.float64,
)  # (1, 2, 6)


def relative_error(x: Tensor, y: Tensor) -> float:
    """max |x - y| / max(1e-8, |x| + |y|), as the handout defines it, in double precision; 0 is equal, 1 the
    worst."""
    x, y = x.detach().double(), y.detach().double()
    return float(((x - y).abs() / (x.abs() + y.abs()).clamp(min=1e-8)).max())


@dataclass(frozen=True, slots=True)
class Errors:
    """The four relative errors that a report states."""

    self: float
    masked: float
    cross: float
    encoding: float


PUBLISHED_ERRORS = Errors(
    self=0.0003772742211599121,
    masked=0.0001526367643724865,
    cross=0.00035224630317522767,
    encoding=0.00010421011374914356,
)
"""Of right code on the Intel machine that the arrays come from; the digits after the second are its rounding."""


def errors(outputs: Handout, encoding: Tensor) -> Errors:
    """Relative errors of somebody's outputs against the published arrays."""
    own, masked, cross = map(relative_error, outputs, PUBLISHED)
    return Errors(own, masked, cross, relative_error(encoding, PUBLISHED_ENCODING))
