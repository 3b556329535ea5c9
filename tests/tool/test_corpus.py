"""The bundled news corpus: what the script writes, how near its texts are to each other, and how it is loaded."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from grader.errors import UnknownName
from reference.transformer.news import LABELS, load_news
from scripts import make_corpus as corpus
from scripts.measure_corpus import Fit, baseline, logistic_regression, naive_bayes, nearest

SPLITS = ("train", "test", "heldout")


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("path", sorted(corpus.files()), ids=lambda path: path.name)
def test_the_committed_files_are_what_the_script_writes(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == corpus.files()[path]


@pytest.mark.parametrize(("split", "size"), [("train", 1024), ("test", 128), ("heldout", 96)])
def test_splits_are_balanced(split: str, size: int) -> None:
    counts = Counter(row.label for row in corpus.corpus()[split])
    assert counts == dict.fromkeys(range(4), size // 4)


def test_no_text_stands_twice() -> None:
    texts = [row.text for split in SPLITS for row in corpus.corpus()[split]]
    texts += [row.text for section in ("public", "hidden") for row in corpus.four_texts(section)]
    assert len(set(texts)) == len(texts) == 1024 + 128 + 96 + 4 + 12


@pytest.mark.parametrize(
    ("split", "others"),
    [("test", "train"), ("heldout", "train"), ("heldout", "test"), ("train", "train")],
)
def test_no_near_duplicates(split: str, others: str) -> None:
    published = corpus.corpus()
    if split == others:
        index, shares = corpus.Index(), []
        for row in published[split]:
            shares.append(index.nearest(row.text))
            index.add(row.text)
    else:
        shares = nearest(published[split], published[others])
    assert max(shares) <= corpus.OVERLAP_PUBLISHED
    assert sum(shares) / len(shares) < 0.25


def test_the_pretraining_texts_are_others() -> None:
    pretraining = corpus.pretraining_rows(per_topic=150)
    assert Counter(row.label for row in pretraining) == dict.fromkeys(range(4), 150)
    shares = nearest(pretraining, [row for split in SPLITS for row in corpus.corpus()[split]])
    assert max(shares) <= corpus.OVERLAP_PRETRAINING


def test_near_duplicates_are_measured_on_the_shorter_text() -> None:
    index = corpus.Index()
    index.add("one two three four five six seven eight nine ten")
    assert index.nearest("One two, three four five six!") == 1.0
    assert index.nearest("one two three four and five six seven eight nine") == pytest.approx(1 / 6)
    assert index.nearest("nothing of this was there") == 0.0


@pytest.mark.parametrize("split", SPLITS)
def test_texts_are_clean_sentences(split: str) -> None:
    for row in corpus.corpus()[split]:
        assert not re.search(r"[\[\]{}|]|  | [,.]|,,|\.\.|[^\x20-\x7e]", row.text), row.text
        assert re.match(r'[A-Z"]', row.text), row.text
        assert row.text[-1] in '."', row.text
        assert not re.search(r"\b[Aa] [aeioAEIO](?!ne)", row.text), row.text
        assert 6 <= len(row.text.split()) <= 70, row.text


def test_hand_written_texts_are_in_every_split() -> None:
    written = {text for label in range(4) for text in corpus.grammar(label).written}
    found = {split: sum(row.text in written for row in corpus.corpus()[split]) for split in SPLITS}
    assert found == {"train": 64, "test": 16, "heldout": 16}


@pytest.mark.parametrize(("fit", "rows"), [(naive_bayes, 1024), (logistic_regression, 256)])
def test_a_bag_of_words_does_not_reach_everything(fit: Fit, rows: int) -> None:
    published = corpus.corpus()
    assert 0.7 < baseline(fit, published["train"][:rows], published["test"]) < 0.98


def test_the_judge_alone_has_the_hidden_texts() -> None:
    assets = corpus.ASSETS.parent
    seen = "".join(p.read_text(encoding="utf-8") for p in assets.rglob("*.jsonl"))
    hidden = [
        str(row["text"]) for name in ("heldout", "four_more") for row in rows(corpus.HIDDEN / f"{name}.jsonl")
    ]
    assert len(hidden) == 108
    assert not [text for text in hidden if text in seen]
    assert all(set(row) == {"text"} for row in rows(corpus.ASSETS / "four_texts.jsonl"))


def test_the_four_texts_are_on_the_four_subjects() -> None:
    texts = [str(row["text"]) for row in rows(corpus.ASSETS / "four_texts.jsonl")]
    for text, subject in zip(texts, ("Lakers", "Uzbekistan", "Yemen", "New Zealand"), strict=True):
        assert subject in text
    labels = json.loads((corpus.HIDDEN / "four_labels.json").read_text(encoding="utf-8"))
    assert labels == ["Sports", "Sci/Tech", "World", "Business"]


def test_check_tells_a_stale_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale, fresh = tmp_path / "stale.jsonl", tmp_path / "fresh.jsonl"
    stale.write_text("old", encoding="utf-8")
    fresh.write_text("new", encoding="utf-8")
    monkeypatch.setattr(corpus, "files", lambda: {stale: "new", fresh: "new"})
    monkeypatch.setattr(corpus, "ROOT", tmp_path)
    assert corpus.main(["--check"]) == 1
    assert stale.read_text(encoding="utf-8") == "old"
    assert "stale.jsonl" in capsys.readouterr().out
    assert corpus.main([]) == 0
    assert stale.read_text(encoding="utf-8") == "new"
    assert corpus.main(["--check"]) == 0


# ---------------------------------------------------------------- loading


def test_load_news_gives_the_coursework_sizes() -> None:
    train, test = load_news()
    assert (len(train), len(test)) == (1024, 128)
    assert train.column_names == ["text", "label"]
    assert tuple(train.features["label"].names) == LABELS == corpus.LABELS
    assert {row["text"]: row["label"] for row in test} == {r.text: r.label for r in corpus.corpus()["test"]}


def test_load_news_is_chosen_by_the_seed() -> None:
    first, again, other = (load_news(n_train=40, n_test=8, seed=seed).train["text"][:] for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 40


def test_load_news_gives_what_there_is() -> None:
    train, test = load_news(n_train=10**6, n_test=10**6)
    assert (len(train), len(test)) == (1024, 128)


def test_load_news_knows_its_sources() -> None:
    with pytest.raises(UnknownName, match="bundled"):
        load_news("bundle")  # type: ignore[arg-type]


def _python(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home), "GRADE_ASSETS": str(home)}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=corpus.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_network_ag_news_is_refused_and_the_bundled_corpus_is_not(tmp_path: Path) -> None:
    code = (
        "from reference.transformer.news import load_news\n"
        "from grader.errors import GraderError\n"
        "print(len(load_news().train))\n"
        "try:\n"
        "    load_news('ag_news')\n"
        "except GraderError as error:\n"
        "    print(error.next_step)\n"
    )
    done = _python(code, tmp_path)
    size, step = done.stdout.splitlines()
    assert size == "1024", done.stderr
    assert "grade assets fetch ag_news" in step


def test_importing_the_loader_imports_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, reference.transformer.news\nprint({'torch', 'datasets', 'transformers'} & set(sys.modules))"
    assert _python(code, tmp_path).stdout.strip() == "set()"
