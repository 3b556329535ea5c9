"""Worker-side code of an assignment, for the tests: it is trusted, holds no secret, and runs beside student code."""

import torch

WARM = []


def warm_up():
    WARM.append(torch.ones(2).sum().item())


def warmed():
    return [*WARM, MANY]


def asset():
    return (
        (ASSETS / "words.txt").read_text()
        if hasattr(ASSETS, "joinpath")
        else open(f"{ASSETS}/words.txt").read()
    )


def call_student(name, value):
    return student(name)(value)


def broken():
    raise ValueError("a mistake of the harness")
