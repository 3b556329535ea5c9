"""What was handed in: a folder, file, archive or class -> Submission -> answers and figures. Nothing is executed."""

from typing import TYPE_CHECKING

from grader.lazily import lazily

if TYPE_CHECKING:
    from grader.intake.altered import altered_cells, read_originals
    from grader.intake.answers import Answer, Answers, read_answers
    from grader.intake.classes import ClassHandIns, HandIn, holds_class, read_class
    from grader.intake.folder import read_submission
    from grader.intake.found import Found, Problem
    from grader.intake.grim import accuracy_counts, explain_impossible, nearest_accuracies, possible_accuracy
    from grader.intake.metrics import Epoch, Metrics, read_metrics
    from grader.intake.notebook import Claim, Notebook, notebook_claims, notebooks_of, read_notebook
    from grader.intake.predictions import Prediction, Predictions, label_name, read_predictions
    from grader.intake.walk import IntakeLimits

__all__ = [
    "Answer",
    "Answers",
    "Claim",
    "ClassHandIns",
    "Epoch",
    "Found",
    "HandIn",
    "IntakeLimits",
    "Metrics",
    "Notebook",
    "Prediction",
    "Predictions",
    "Problem",
    "accuracy_counts",
    "altered_cells",
    "explain_impossible",
    "holds_class",
    "label_name",
    "nearest_accuracies",
    "notebook_claims",
    "notebooks_of",
    "possible_accuracy",
    "read_answers",
    "read_class",
    "read_metrics",
    "read_notebook",
    "read_originals",
    "read_predictions",
    "read_submission",
]

__getattr__ = lazily(
    __name__,
    {
        "altered": ("altered_cells", "read_originals"),
        "answers": ("Answer", "Answers", "read_answers"),
        "classes": ("ClassHandIns", "HandIn", "holds_class", "read_class"),
        "folder": ("read_submission",),
        "found": ("Found", "Problem"),
        "grim": ("accuracy_counts", "explain_impossible", "nearest_accuracies", "possible_accuracy"),
        "metrics": ("Epoch", "Metrics", "read_metrics"),
        "notebook": ("Claim", "Notebook", "notebook_claims", "notebooks_of", "read_notebook"),
        "predictions": ("Prediction", "Predictions", "label_name", "read_predictions"),
        "walk": ("IntakeLimits",),
    },
)
