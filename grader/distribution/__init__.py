"""What an instructor gives away: `grade dist` builds the students' archive.

student.py    what students get: starter kit, public checks, the tool that runs them
modules.py    which modules of this package that tool needs
wheel.py      a wheel of them
secrets.py    what must not be in it, and the search for it
archive.py    archives that are the same to the byte whenever they are built
command.py    `grade dist`
"""
