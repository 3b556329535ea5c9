"""What was last made is kept for the same objects, and for no equal ones."""

from grader.latest import latest


def test_the_same_objects_are_not_made_again_and_equal_ones_are() -> None:
    calls: list[tuple[list[int], str]] = []

    @latest
    def make(numbers: list[int], name: str) -> list[int]:
        calls.append((numbers, name))
        return [*numbers]

    first, equal = [1], [1]
    kept = make(first, "a")
    assert make(first, "a") is kept
    assert make(equal, "a") is not kept
    assert make(first, "a") is not kept
    make(first, "b")
    assert calls == [(first, "a"), (equal, "a"), (first, "a"), (first, "b")]


def test_arguments_by_name_are_made_anew() -> None:
    made: list[int] = []

    @latest
    def make(number: int = 0) -> int:
        made.append(number)
        return number

    assert [make(number=1), make(number=2), make(3), make()] == [1, 2, 3, 0]
    assert made == [1, 2, 3, 0]
