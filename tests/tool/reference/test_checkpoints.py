"""Which files are a checkpoint, what of them is taken, and that everything else is refused with a sentence."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from transformers import DistilBertConfig, DistilBertForSequenceClassification, RobertaConfig
from transformers import RobertaForSequenceClassification as Roberta

from grader.checking import threads
from grader.intake.weights import WeightsFile, WeightsProblem, open_weights
from grader.model import ArtifactKind, Submission, SubmittedFile
from reference.transformer import bodies
from reference.transformer.architecture import NotUsableError
from reference.transformer.checkpoint_files import candidates, choose
from reference.transformer.checkpoints import Loaded, TensorFile, load
from reference.transformer.evaluation import logits_of
from reference.transformer.news import LABELS
from tests.tool import checkpoints
from tests.tool.checkpoints import checkpoint, config, trained, with_head


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """A model this small is slower on two threads than on one."""
    with threads.one_thread():
        yield


TEXTS = [row["text"] for row in bodies.rows("assets/news/test.jsonl")[:12]]
Files = Mapping[str, bytes]


def hand_in(files: Files) -> Submission:
    def made(path: str, content: bytes) -> SubmittedFile:
        weights = path.endswith((".safetensors", ".bin", ".pt", ".pth"))
        kind = ArtifactKind.WEIGHTS if weights else ArtifactKind.OTHER
        return SubmittedFile(path, content, kind, None, len(content) if weights else 0)

    return Submission("test", Path("test"), "0" * 64, tuple(made(p, c) for p, c in sorted(files.items())))


def loaded(files: Files, body: str = "distilbert") -> Loaded:
    submission = hand_in(files)
    candidate = choose(submission, body).candidate
    assert candidate is not None
    with open_weights(submission, candidate.weights) as file:
        return load(candidate, TensorFile(file), body)


def refused(files: Files, message: str, body: str = "distilbert") -> None:
    with pytest.raises((NotUsableError, WeightsProblem), match=message):
        loaded(files, body)


def answers(found: Loaded) -> torch.Tensor:
    assert found.vocabulary is not None
    return logits_of(found.model, found.vocabulary.encode(TEXTS, 128), found.model.config.pad_token_id)


def due(body: str) -> torch.Tensor:
    return bodies.logits(body, bodies.with_weights(body, trained(body)), TEXTS)


# ---------------------------------------------------------------- what is taken


@pytest.mark.parametrize("body", ["distilbert", "roberta"])
def test_a_checkpoint_answers_as_the_model_did(body: str) -> None:
    found = loaded(checkpoint(body), body)
    assert torch.allclose(answers(found), due(body), rtol=0, atol=1e-5)
    assert (found.outputs, found.names, found.notes) == (4, LABELS, ())
    assert found.weights == sum(v.numel() for v in trained(body).values())


@pytest.mark.parametrize(
    ("dtype", "off"), [(torch.float16, 0.01), (torch.bfloat16, 0.1), (torch.float64, 1e-5)]
)
def test_other_precisions_are_used_as_float32(dtype: torch.dtype, off: float) -> None:
    found = loaded(checkpoint(state={name: value.to(dtype) for name, value in trained("distilbert").items()}))
    assert {p.dtype for p in found.model.parameters()} == {torch.float32}
    assert torch.allclose(answers(found), due("distilbert"), rtol=0, atol=off)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "_orig_mod.module.", "model."])
def test_names_of_wrappers_are_taken_off(prefix: str) -> None:
    found = loaded(checkpoint(state={prefix + name: value for name, value in trained("distilbert").items()}))
    assert torch.allclose(answers(found), due("distilbert"), rtol=0, atol=1e-5)
    assert any("taken off" in note for note in found.notes)


def test_old_names_and_what_is_no_weight_are_understood() -> None:
    def older(name: str) -> str:
        return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")

    state = {older(name): value for name, value in trained("roberta").items()}
    state["roberta.embeddings.position_ids"] = torch.arange(512)[None]
    assert torch.allclose(
        answers(loaded(checkpoint("roberta", state), "roberta")), due("roberta"), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        (
            "distilbert",
            lambda: DistilBertForSequenceClassification(
                DistilBertConfig(dim=128, n_layers=2, n_heads=2, hidden_dim=96, vocab_size=1280, num_labels=4)
            ),
        ),
        (
            "roberta",
            lambda: Roberta(
                RobertaConfig(
                    hidden_size=128,
                    num_hidden_layers=1,
                    num_attention_heads=2,
                    intermediate_size=96,
                    vocab_size=1280,
                    max_position_embeddings=514,
                    type_vocab_size=1,
                    layer_norm_eps=1e-5,
                    num_labels=4,
                )
            ),
        ),
    ],
)
def test_a_bare_state_dict_is_understood_by_its_shapes(kind: str, make: Callable[[], Any]) -> None:
    torch.manual_seed(1)
    model = make().eval()
    files = checkpoint(kind, model.state_dict())
    del files[f"checkpoints/{kind}/config.json"]
    found = loaded(files, kind)
    assert torch.allclose(answers(found), bodies.logits(kind, model, TEXTS), rtol=0, atol=1e-5)
    assert "the sizes were read off the weights" in found.notes[0]


def test_label_names_are_read_and_the_librarys_own_are_none() -> None:
    named = config("distilbert", id2label={"0": "World", "1": "Sports", "2": "Business", "3": "Sci/Tech"})
    assert loaded(checkpoint(settings=named)).names == ("World", "Sports", "Business", "Sci/Tech")
    plain = config("distilbert", id2label={str(i): f"LABEL_{i}" for i in range(4)})
    assert loaded(checkpoint(settings=plain)).names == ()


def test_code_that_a_config_names_is_never_run() -> None:
    settings = config(
        "distilbert", auto_map={"AutoModelForSequenceClassification": "modeling.Evil"}, torchscript=True
    )
    files = checkpoint(settings=settings) | {"checkpoints/distilbert/modeling.py": b"raise SystemExit('run')"}
    assert torch.allclose(answers(loaded(files)), due("distilbert"), rtol=0, atol=1e-5)


# ---------------------------------------------------------------- what is refused


def without(name: str) -> dict[str, torch.Tensor]:
    return {key: value for key, value in trained("distilbert").items() if key != name}


def nan(state: dict[str, torch.Tensor]) -> None:
    state["classifier.bias"][2] = float("nan")


def infinite(state: dict[str, torch.Tensor]) -> None:
    state["distilbert.embeddings.word_embeddings.weight"][5, 5] = float("inf")


MODEL = "checkpoints/distilbert/model.safetensors"
CONFIG = "checkpoints/distilbert/config.json"
TOKENS = "checkpoints/distilbert/tokenizer.json"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: checkpoint("roberta", folder="checkpoints/distilbert"), "is a RoBERTa; a DistilBERT is due"),
        (lambda: checkpoint(settings=config("distilbert", model_type="gpt2")), "a model of type 'gpt2'"),
        (lambda: checkpoint(settings=config("distilbert", model_type=None)), "names no model_type"),
        (lambda: checkpoint(settings=config("distilbert", model_type=["x"])), "names no model_type"),
        (
            lambda: checkpoint(settings=config("distilbert", dim=10**9)),
            "dim is 1000000000; a whole number from 1",
        ),
        (lambda: checkpoint(settings=config("distilbert", n_layers=10**6)), "n_layers is 1000000"),
        (lambda: checkpoint(settings=config("distilbert", dim=-64)), "dim is -64"),
        (lambda: checkpoint(settings=config("distilbert", dim=64.5)), r"dim is 64\.5"),
        (lambda: checkpoint(settings=config("distilbert", dim=True)), "dim is True"),
        (lambda: checkpoint(settings=config("distilbert", dim=None)), "dim is not there"),
        (lambda: checkpoint(settings=config("distilbert", n_heads=5)), "cannot be split into 5 heads"),
        (lambda: checkpoint(settings=config("distilbert", pad_token_id=1280)), "outside of the vocabulary"),
        (
            lambda: checkpoint(settings=config("distilbert", activation="os.system")),
            "activation 'os.system' is not known",
        ),
        (
            lambda: checkpoint(
                settings=config("distilbert", dim=1024, n_layers=24, vocab_size=200_000, n_heads=16)
            ),
            "about 312 million weights; at most 150 million",
        ),
        (lambda: checkpoint(settings=config("distilbert", dim=128)), "of shape"),
        (lambda: checkpoint(settings=config("distilbert", n_layers=3)), "lacks 16 of the 56 weights"),
        (
            lambda: checkpoint(settings=config("distilbert", n_layers=1)),
            "holds 16 weights that a DistilBERT does not have",
        ),
        (lambda: checkpoint(state=without("classifier.weight")), "has no classification head"),
        (lambda: checkpoint(state=without("pre_classifier.bias")), "lacks 1 of the 40"),
        (lambda: checkpoint(state=with_head("distilbert", 65, [0, 1, 2, 3])), "has 65 outputs"),
        (
            lambda: checkpoint(state=checkpoints.changed("distilbert", nan)),
            "1 of 40 weights hold NaN or infinity",
        ),
        (
            lambda: checkpoint(state=checkpoints.changed("distilbert", infinite)),
            "1 of 40 weights hold NaN or infinity",
        ),
        (
            lambda: checkpoint(state={n: v.to(torch.int32) for n, v in trained("distilbert").items()}),
            "as I32; floating-point weights are due",
        ),
        (lambda: checkpoint() | {MODEL: checkpoint()[MODEL][:-100]}, "cut short"),
        (lambda: checkpoint() | {MODEL: struct.pack("<Q", 10**15)}, "announces a header"),
        (
            lambda: checkpoint() | {MODEL: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"},
            "a note of Git LFS",
        ),
        (lambda: checkpoint() | {CONFIG: b"{"}, "not valid JSON"),
        (lambda: checkpoint() | {CONFIG: b"[]"}, "is not an object"),
        (lambda: checkpoint() | {CONFIG: b"[" * 10**5}, "nested more than 30 deep"),
        (lambda: checkpoint() | {CONFIG: b'{"dim": 1e999999}'}, "too long"),
        (lambda: {MODEL: save({"a.b": torch.ones(2)})}, "comes without a config.json, and its names"),
        (
            lambda: {MODEL: save({"distilbert.embeddings.word_embeddings.weight": torch.ones(2)})},
            "embeddings that are no tables",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(make: Callable[[], Files], message: str) -> None:
    refused(make(), message)


def tokenizer(**changes: Any) -> Files:
    document = json.loads(checkpoints.tokenizer_files("distilbert")["tokenizer.json"])
    for path, value in changes.items():
        *above, last = path.split("__")
        place = document
        for key in above:
            place = place[key]
        place[last] = value
    return checkpoint() | {TOKENS: json.dumps(document).encode()}


BOMB = {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": ""}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (lambda: tokenizer(normalizer=BOMB), "prepares texts by 'Replace' and 'BertPreTokenizer'"),
        (
            lambda: tokenizer(normalizer={"type": "Sequence", "normalizers": [BOMB]}),
            "prepares texts by 'Sequence'",
        ),
        (lambda: tokenizer(pre_tokenizer={"type": "Split", "pattern": {"Regex": "(a+)+$"}}), "and 'Split'"),
        (lambda: tokenizer(normalizer=None), "prepares texts by nothing"),
        (lambda: tokenizer(model__type="Unigram"), "of type 'Unigram'; WordPiece is due"),
        (lambda: tokenizer(model=3), "model is not an object"),
        (lambda: tokenizer(model__vocab={}, added_tokens=[]), "knows 0 tokens"),
        (lambda: tokenizer(model__vocab={f"w{i}": i for i in range(5)}, added_tokens=[]), "knows 5 tokens"),
        (
            lambda: tokenizer(model__vocab={f"w{i}": i for i in range(500)}, added_tokens=[]),
            r"does not know the token \[CLS\]",
        ),
        (
            lambda: tokenizer(model__vocab={f"w{i}": i for i in range(3000)}),
            "has 3,000 tokens, and the DistilBERT knows",
        ),
        (lambda: tokenizer(model__vocab={"a": -1}), "gives 'a' the number '-1'"),
        (lambda: tokenizer(model__vocab={"a": 10**12}), "the number '1000000000000'"),
        (lambda: tokenizer(model__vocab={"a" * 500: 1}), "longer tokens than a vocabulary has"),
        (lambda: tokenizer(added_tokens=[{"content": "x", "id": 7.5}]), r"gives 'x' the number '7\.5'"),
        (lambda: checkpoint() | {TOKENS: b"x" * 13_000_000}, "has 13.0 MB"),
    ],
)
def test_a_tokenizer_of_another_kind_is_refused_and_never_run(
    files: Callable[[], Files], message: str
) -> None:
    refused(files(), message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"merges": ["only"]}, "which is not one of two tokens"),
        ({"merges": [["a", 3]]}, "which is not one of two tokens"),
        ({"merges": ["a nowhere"]}, "merges 'a' and 'nowhere', which are no tokens"),
        ({"type": "WordPiece"}, "BPE is due"),
    ],
)
def test_merges_that_fit_no_vocabulary_are_refused(change: dict[str, Any], message: str) -> None:
    document = json.loads(checkpoints.tokenizer_files("roberta")["tokenizer.json"])
    document["model"] |= change
    files = checkpoint("roberta") | {"checkpoints/roberta/tokenizer.json": json.dumps(document).encode()}
    refused(files, message, "roberta")


@pytest.mark.parametrize("body", ["distilbert", "roberta"])
@pytest.mark.parametrize("form", ["tokenizer.json", "vocabulary files"])
def test_a_tokenizer_made_anew_gives_the_same_tokens(body: str, form: str) -> None:
    names = ("tokenizer.json",) if form == "tokenizer.json" else ("vocab.txt", "vocab.json", "merges.txt")
    folder = checkpoints.BODIES / body
    files = {f"checkpoints/{body}/{n}": (folder / n).read_bytes() for n in names if (folder / n).is_file()}
    found = loaded(checkpoint(body, tokenizer=False) | files, body).vocabulary
    assert found is not None
    texts = [*TEXTS, "Zürich naïve 東京 [MASK] <mask> [SEP]\t x", "", "a" * 300]
    own = bodies.tokenizer(body)(texts, truncation=True, max_length=40)["input_ids"]
    assert found.encode(texts, 40) == own


# ---------------------------------------------------------------- which files are the checkpoint


def chosen(files: Files, body: str) -> str | None:
    candidate = choose(hand_in(files), body).candidate
    return candidate and candidate.shown


def trainer(step: int, body: str = "distilbert") -> Files:
    folder = f"output/checkpoint-{step}"
    more = {
        f"{folder}/{n}": b"x" for n in ("optimizer.pt", "scheduler.pt", "training_args.bin", "rng_state.pth")
    }
    return checkpoint(body, folder=folder) | more


def test_the_place_asked_for_comes_first() -> None:
    files = trainer(384) | checkpoint() | checkpoint(folder="old/distilbert")
    assert chosen(files, "distilbert") == MODEL
    notes = choose(hand_in(files), "distilbert").notes
    assert "old/distilbert/model.safetensors" in notes[0]


def test_of_trainers_checkpoints_the_last_counts_and_its_other_files_do_not() -> None:
    files = {**trainer(128), **trainer(256), **trainer(1024), **trainer(384, "roberta")}
    assert chosen(files, "distilbert") == "output/checkpoint-1024/model.safetensors"
    assert chosen(files, "roberta") == "output/checkpoint-384/model.safetensors"
    assert len(candidates(hand_in(files))) == 4


def test_safetensors_before_a_pickle_of_the_same_folder() -> None:
    assert chosen(checkpoint() | checkpoint(name="pytorch_model.bin"), "distilbert") == MODEL


def test_a_file_is_known_by_its_name_too() -> None:
    files = {"models/DistilBERT_news.pt": b"x", "models/roberta.pt": b"y"}
    assert chosen(files, "distilbert") == "models/DistilBERT_news.pt"
    assert chosen(files, "roberta") == "models/roberta.pt"


def test_two_that_could_count_are_asked_about() -> None:
    files = checkpoint(folder="a") | checkpoint(folder="b")
    with pytest.raises(NotUsableError, match=r"2 checkpoints that could count: a/model\.safetensors, b/"):
        choose(hand_in(files), "distilbert")


def test_none_is_none() -> None:
    assert chosen({"finetune.py": b"", "config.json": b"{}", "optimizer.pt": b"x"}, "distilbert") is None
    assert chosen(checkpoint("roberta"), "distilbert") is None


def test_what_belongs_to_neither_is_told_of_once() -> None:
    files = checkpoint(folder="model", settings=config("distilbert", model_type="bert"))
    assert chosen(files, "distilbert") == "model/model.safetensors"
    assert chosen(files, "roberta") is None


def test_a_weights_file_is_read_where_it_lies() -> None:
    """The bytes that are read are those of the header's places, whatever the order of the names."""
    content = save({"b": torch.arange(3.0), "a": torch.arange(4.0, 10.0).reshape(2, 3)})
    source = TensorFile(WeightsFile("x", len(content), content=content))
    found = dict(source.read(["b", "a"]))
    assert found["b"].tolist() == [0, 1, 2]
    assert found["a"].tolist() == [[4, 5, 6], [7, 8, 9]]
