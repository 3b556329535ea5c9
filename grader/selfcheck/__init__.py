"""Public checks that a student runs: `grade check`, `pytest`, `check("2c")`. No reference is needed, and none is here.

    kit.py        which checks there are, and where the work lies
    student.py    the student's definitions, from files, notebooks or a running kernel
    plugin.py     the checks as pytest tests: fixtures, results
    result.py     what became of one check
    runner.py     the process in which student code runs, warm
    runs.py       starts that process, asks it, and outlives whatever happens in it
    changed.py    which checks a saved file concerns
    show.py       results for the terminal and for a notebook
    command.py    `grade check`

A check of this kind compares outputs with one another, with what the handout prints, or with what the student's own
files say. Marks are given by the grader, which compares with a reference: to pass here is no mark.
"""
