"""What students get wrong, as edits of the model solution. `grade verify` hands each in and looks where it costs points;
the report names the one whose result the student's code gives."""

from grader.authoring import Edit, Misconception

BANK = (
    Misconception(
        id="times-temperature",
        title="The scores are multiplied by the temperature",
        belief="A high temperature makes the scores larger.",
        hint="Which of the two makes the probabilities more alike: a high temperature or a low one?",
        checks=("1a.values",),
        may_cost=("1a.large",),
        edits=(Edit("softmax.py", "scores / temperature", "scores * temperature"),),
    ),
    Misconception(
        id="first-axis",
        title="The softmax runs over the first axis",
        belief="The scores of one item lie along axis 0.",
        hint="Sum your result over the last axis: which numbers are due there?",
        checks=("1a.values",),
        may_cost=("1a.large",),
        edits=(Edit("softmax.py", "powers.sum(dim=-1, keepdim=True)", "powers.sum(dim=0, keepdim=True)"),),
    ),
    Misconception(
        id="overflow",
        title="The largest score is not subtracted before exp",
        belief="exp of any score can be computed.",
        hint="What is exp(2000) in float32, and what may be subtracted from all scores?",
        checks=("1a.large",),
        edits=(Edit("softmax.py", "scaled - scaled.amax(dim=-1, keepdim=True)", "scaled"),),
        diagnosed=False,  # its result is NaN, which other mistakes give too
    ),
    Misconception(
        id="cut-off",
        title="Large scores are cut off before exp",
        belief="An overflow is avoided by a limit on the scores.",
        hint="Two scores above your limit, 1000 and 1010: which probabilities do they get, and which are due?",
        checks=("1a.large",),
        edits=(Edit("softmax.py", "scaled - scaled.amax(dim=-1, keepdim=True)", "scaled.clamp(max=80)"),),
    ),
)
