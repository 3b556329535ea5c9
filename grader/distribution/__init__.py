"""What an instructor gives away or sets up elsewhere: `grade dist`.

student.py      what students get: starter kit, public checks, the tool that runs them
modules.py      which modules of this package that tool needs
secrets.py      what must not be in it, and the search for it
gradescope.py   an autograder for Gradescope
whole.py        the grader itself as a wheel
results.py      a report as Gradescope's results.json
wheel.py        wheels
archive.py      archives that are the same to the byte whenever they are built
command.py      `grade dist`
"""
