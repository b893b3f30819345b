"""Labels are chosen for tickets whose producer gave none."""

from collections.abc import Sequence
from typing import Any

from core.records import EmbeddedTicket, EnrichedTicket, Label, LabelKind, Passage, SparseVector, TicketPoints, Vector
from models.run.hashing import HashingEmbedder
from operators.classify import classify
from operators.embed import embed
from operators.points import to_points
from operators.terms import add_terms
from tests.operators.samples import ticket

EMBEDDER = HashingEmbedder()


class _Labeller:
    """Knows one label of each kind in `knows`, and notes what it is asked."""

    stamp = "labeller/1"

    def __init__(self, *knows: LabelKind) -> None:
        self.knows = knows
        self.asked: list[tuple[float, tuple[LabelKind, ...]]] = []
        self.heard: list[SparseVector | None] = []

    def labels(self, vector: Vector, terms: SparseVector | None, kinds: Sequence[LabelKind]) -> dict[LabelKind, Label]:
        self.heard.append(terms)
        self.asked.append((float(vector @ EMBEDDER.embed(["first"])[0]), tuple(kinds)))
        return {kind: Label(f"a {kind}", 0.9) for kind in kinds if kind in self.knows}


def _embedded(**content: Any) -> EmbeddedTicket:
    passages = tuple(Passage(text, text, "customer", public=True, message=-1) for text in ("first", "second"))
    (made,) = embed([EnrichedTicket(ticket(**content), passages=passages)], embedder=EMBEDDER)
    assert isinstance(made, EmbeddedTicket)
    return made


def test_both_labels_come_from_the_first_passage() -> None:
    """The first passage's vector decides, and the labeller's stamp is kept beside the labels."""
    labeller = _Labeller("category", "priority")
    (done,) = classify([_embedded()], labeller=labeller)
    assert isinstance(done, EmbeddedTicket)
    assert done.category == Label("a category", 0.9)
    assert done.priority == Label("a priority", 0.9)
    assert done.label_model == "labeller/1"
    ((similarity, kinds),) = labeller.asked
    assert round(similarity, 4) == 1
    assert kinds == ("category", "priority")


def test_the_terms_are_those_of_the_first_point() -> None:
    """The labeller gets the same terms as the index, so a model can be trained on an index too."""
    labeller, item = _Labeller(), _embedded(subject="Printer ERR-7")
    classify([item], labeller=labeller)
    (made,) = add_terms([one for one in to_points([item]) if isinstance(one, TicketPoints)])
    assert isinstance(made, TicketPoints)
    (heard,), stored = labeller.heard, made.points[0].terms
    assert heard is not None
    assert stored is not None
    assert (heard.indices.tolist(), heard.values.tolist()) == (stored.indices.tolist(), stored.values.tolist())


def test_a_label_that_the_producer_gave_is_kept() -> None:
    """The labeller is asked for missing labels only, and not called if none is missing."""
    labeller = _Labeller("category", "priority")
    first, second = classify(
        [_embedded(category="other"), _embedded(category="other", priority="low")], labeller=labeller
    )
    assert isinstance(first, EmbeddedTicket)
    assert (first.category, first.priority) == (None, Label("a priority", 0.9))
    assert isinstance(second, EmbeddedTicket)
    assert second.label_model is None
    assert [kinds for _, kinds in labeller.asked] == [("priority",)]


def test_a_ticket_in_doubt_gets_no_label_and_no_stamp() -> None:
    """A ticket for which the labeller has no label is unchanged."""
    item = _embedded()
    assert classify([item], labeller=_Labeller()) == [item]
    assert classify([item], labeller=None) == [item]


def test_the_payload_names_the_label_model() -> None:
    """The payload has `label_model` if one of its labels was chosen here, and only then."""
    items = [_embedded(), _embedded(category="other", priority="low")]
    chosen, given = to_points(
        [i for i in classify(items, labeller=_Labeller("category")) if isinstance(i, EmbeddedTicket)]
    )
    payload = chosen.points[0].payload  # type: ignore[union-attr]
    assert (payload["category"], payload["category_confidence"]) == ("a category", 0.9)
    assert payload["label_model"] == "labeller/1"
    assert "label_model" not in given.points[0].payload  # type: ignore[union-attr]
