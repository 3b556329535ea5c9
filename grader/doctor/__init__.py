"""What this machine has of what the grader can use, what is missing, and how to get it: `grade doctor`.

finding.py    one thing that was looked at
machine.py    Python, processor, memory, the level of isolation
packages.py   what is installed, and the optional extras
files.py      the grader's own files, folders to write to, data and models, a browser
command.py    `grade doctor`, as text and as JSON
"""
