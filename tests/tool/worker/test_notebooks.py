"""Notebooks in the sealed worker: what definitions need is run, what fails beside them does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from grader.checking.faults import Rules, fault
from grader.worker import Zygote
from grader.worker.calls import Call, Raised, Reply, Returned
from tests.tool.notebooks import notebook

Ask = Callable[..., Reply]


@pytest.fixture
def ask(zygote: Zygote) -> Iterator[Ask]:
    """ask("f", {"a3.ipynb": …}): the reply to a call of the student's f."""
    workers = []

    def reply(name: str, files: dict[str, bytes], *args: object) -> Reply:
        workers.append(zygote.worker(list(files.items()), "test"))
        return workers[-1].run([Call(f"student:{name}", args)])[0]

    yield reply
    for worker in workers:
        worker.close()


def value(reply: Reply) -> object:
    assert isinstance(reply, Returned), reply
    return reply.value


def told(reply: Reply) -> str:
    """The sentence and the hint that the student gets."""
    assert isinstance(reply, Raised), reply
    said = fault(reply, Rules(allowed_packages=("torch",)))
    return f"{said.message} {said.hint}"


def test_a_notebook_full_of_trouble_still_gives_its_definitions(ask: Ask) -> None:
    files = {
        "a3.ipynb": notebook(
            "md:# Part 2",
            "!pip install torch\n%matplotlib inline\nimport math, torch\nimport matplotlib.pyplot as plt",
            "from google.colab import drive\ndrive.mount('/content/drive')",
            "data = open('/content/drive/nothing.csv')\nplt.plot(data)",
            "while True: pass",
            "%%time\nSCALE = math.sqrt(4)\ndef helper(x): return x * SCALE",
            "from tqdm.notebook import tqdm\nfrom IPython.display import clear_output, display",
            "class broken(",
            "def f(x):\n    clear_output()\n    display(x)\n    return [helper(v) for v in tqdm(x)]",
            "f([1])\nraise SystemExit",
        )
    }
    assert value(ask("f", files, [1.0, 2.0])) == [2.0, 4.0]


def test_a_name_that_is_missing_later_is_traced_to_the_cell_that_failed(ask: Ask) -> None:
    files = {
        "a3.ipynb": notebook(
            "md:hi", "import torch\nimport sklearn_of_old as sk", "def f():\n    return sk.x"
        )
    }
    text = told(ask("f", files))
    assert "imports sklearn_of_old (a3.ipynb, cell 2, line 2)" in text
    assert "May be used: torch" in text


def test_an_exception_names_cell_and_line(ask: Ask) -> None:
    files = {"a3.ipynb": notebook("x = 1", "def f():\n    y = 2\n    return y / 0")}
    reply = ask("f", files)
    assert "ZeroDivisionError: division by zero (a3.ipynb, cell 2, line 3)" in told(reply)
    assert isinstance(reply, Raised)
    assert reply.frames[-1].code == "return y / 0"


def test_a_definition_that_fails_names_the_reason_not_what_follows_from_it(ask: Ask) -> None:
    files = {"a3.ipynb": notebook("import torch", "Base = 1 / 0", "class Net(Base):\n    pass")}
    text = told(ask("Net", files))
    assert "a3.ipynb, cell 2 could not be run: ZeroDivisionError" in text
    assert "(a3.ipynb, cell 2, line 1)" in text


def test_a_cell_with_a_syntax_error_is_named(ask: Ask) -> None:
    text = told(ask("f", {"a3.ipynb": notebook("x = 1", "def f():\n    return )")}))
    assert "a3.ipynb, cell 2, line 2: SyntaxError" in text
    assert "Running that cell shows the same error" in text


def test_ending_the_program_in_a_cell_is_told(ask: Ask) -> None:
    reply = ask("f", {"a3.ipynb": notebook("import sys\nN = sys.exit(3)", "def f():\n    return N")})
    assert isinstance(reply, Raised)
    assert (reply.kind, reply.frames[-1].file) == ("exit", "a3.ipynb, cell 1")


def test_cells_and_files_work_together(ask: Ask) -> None:
    files = {
        "book/a3.ipynb": notebook("%%writefile made.py\nTWO = 2", "from made import TWO\nfrom own import THREE",
                                  "def f(): return TWO * THREE"),
        "book/own.py": b"THREE = 3\n",
    }  # fmt: skip
    assert value(ask("f", files)) == 6


def test_source_of_a_cell_can_be_asked_for(ask: Ask) -> None:
    cells = notebook("import inspect", "def g(): return 1", "def f(): return inspect.getsource(g)")
    assert value(ask("f", {"a3.ipynb": cells})) == "def g(): return 1"


def test_an_exported_file_runs_like_its_notebook(ask: Ask) -> None:
    source = b"# In[1]:\n\nimport old_plots\nget_ipython().system('ls')\n\n# In[2]:\n\ndef f():\n    return 1 / 0\n"
    assert "(a3.py, line 9)" in told(ask("f", {"a3.py": source}))
