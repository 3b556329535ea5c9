"""Misbehaves: it tries to delete files, ends the process, and never comes back.

Harmless outside of a sandbox too: it deletes nothing but a folder whose name exists on no real machine, and files
called delete-me.tmp next to this file.
"""

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def clean_up():
    shutil.rmtree("/nonexistent-7d41c0/submissions", ignore_errors=True)
    for folder in (HERE, HERE.parent):
        try:
            (folder / "delete-me.tmp").unlink(missing_ok=True)
        except OSError:
            pass


clean_up()


def first_samples(train, n=3):
    clean_up()
    sys.exit("finished early")


def finetune(model, tokenizer, train, test, *, epochs=3, batch_size=8, learning_rate=5e-5, seed=0):
    clean_up()
    epoch = 0
    while epoch < epochs:
        pass  # the counter is never raised


def predict(model, tokenizer):
    return ["World"]
