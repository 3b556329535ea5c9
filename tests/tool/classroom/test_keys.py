"""What a check consists of is found wherever it is imported."""

from __future__ import annotations

from grader.assignment import load_assignment
from grader.classroom.keys import _imports, reference_modules

EVERYWHERE = b"""
import a.top
from . import near
try:
    import a.tried
except ImportError:
    import a.caught
else:
    import a.otherwise
finally:
    import a.at_last
async def f():
    with open("x") as file:
        for line in file:
            if line:
                while True:
                    from a.deep import name
            elif not line:
                match line:
                    case "":
                        import a.matched
class C:
    def method(self):
        import a.held as other
"""


def test_imports_are_found_in_every_statement() -> None:
    inner = ("tried", "caught", "otherwise", "at_last", "deep.name", "matched", "held")
    assert _imports(EVERYWHERE) == {"a.top", *(f"a.{name}" for name in inner)}


def test_modules_that_are_imported_through_others_and_their_packages_belong_to_a_check() -> None:
    assignment = load_assignment()
    checks = {check.id: check for check in assignment.checks}
    attention = set(reference_modules(assignment, [checks["2c.masked"]]))
    assert {"reference.transformer", "reference.transformer.attention"} <= attention
    assert attention < set(reference_modules(assignment, assignment.checks))
