"""Code that runs in the zygote and in the worker, beside the student's: stand-alone and without a secret.

Nothing here imports the rest of the grader, so that the worker's view of the file system need not hold it. The judge
imports :mod:`.wire` from here, because both ends of a wire have to agree.
"""
