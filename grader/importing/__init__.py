"""`grade import`: a draft of an assignment, made of a notebook with asserts, of nbgrader or of otter-grader.

    read_source(path)       what a file asks and tests; nothing of it is executed
    turn(code, known)       a test's statements as the body of a check, or the reasons why a person has to write it
    import_files(files)     the folder, and what was taken over

The files are the author's own. Their tests run in the judge only where every call of a student's function goes to the
worker.
"""

from grader.importing.assemble import Imported, import_files

__all__ = ["Imported", "import_files"]
