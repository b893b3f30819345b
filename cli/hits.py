"""The table of hits: score and reason, ticket, and the best passage with its author."""

from datetime import UTC, datetime
from typing import Final

from rich.table import Table
from rich.text import Text

from search.result import Answer, RankedHit, Why

_PASSAGE_CHARACTERS: Final = 240
_MS: Final = 1_000
#: Minimum length of a marked word; shorter ones are too common.
_MARKED_FROM: Final = 4
_REASONS: Final[dict[Why, str]] = {"words": "words", "meaning": "meaning", "both": "words and\nmeaning"}


def hits_table(question: str, answer: Answer, *, explain: bool = False) -> Table:
    """The hits of `answer`, one row each; `explain` adds the parts of each score."""
    table = Table(title=Text(question, style="bold"), title_justify="left", show_lines=True, expand=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("ticket", max_width=28, overflow="fold")
    table.add_column("best passage", ratio=1)
    for hit in answer.hits:
        score = Text.assemble((f"{hit.score:.3f}", "cyan"), "\n", (_REASONS[hit.why], "dim"))
        passage = _passage(question, hit)
        if explain:
            passage = Text.assemble(passage, "\n", (explanation(hit, answer), "dim"))
        table.add_row(score, _ticket(hit), passage)
    return table


def explanation(hit: RankedHit, answer: Answer) -> str:
    """The parts of the score of `hit`, on one line."""
    weight = answer.words_weight
    parts = [f"{1 - weight:.3f} * similarity {hit.similarity:.3f} + {weight:.3f} * words {hit.words:.3f}"]
    if hit.exact:
        parts.append(f"holds {', '.join(hit.exact)} + {hit.bonus:.3f}")
    parts += [f"{factor.reason} * {factor.value:.3f}" for factor in hit.factors]
    return "; ".join(parts)


def _ticket(hit: RankedHit) -> Text:
    facts = [str(hit.payload[name]) for name in ("status", "channel", "language", "category") if hit.payload.get(name)]
    outcome = Text.assemble(("✓ solved", "green"), _solved_on(hit), "\n") if hit.solved else Text()
    return Text.assemble((hit.ticket_id, "bold"), "\n", outcome, (" · ".join(facts), "dim"))


def _solved_on(hit: RankedHit) -> tuple[str, str]:
    moment = hit.payload.get("solved_at")
    return (f" {shown_date(moment)}" if isinstance(moment, int) else "", "dim")


def shown_date(ms: int) -> str:
    """The date of a time, in UTC. The offset of an event's time may move it out of Python's years 1 to 9999."""
    try:
        return f"{datetime.fromtimestamp(ms / _MS, UTC):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        return "before the year 1" if ms < 0 else "after the year 9999"


def _passage(question: str, hit: RankedHit) -> Text:
    """The subject, the author, then the passage with the question's words marked."""
    subject, body = str(hit.payload.get("subject") or ""), hit.passage.strip()
    if subject and body.startswith(subject):
        body = body[len(subject) :].strip()
    words = [word for word in question.lower().split() if len(word) >= _MARKED_FROM]
    marked = [*words, *map(str.lower, hit.exact)]
    text = Text(_excerpt(" ".join(body.split()), marked))
    text.highlight_words(marked, style="bold yellow", case_sensitive=False)
    lines = [Text(subject, "bold")] if subject else []
    lines.append(Text(_author(hit), "magenta" if hit.resolution else "dim"))
    return Text("\n").join([*lines, *([text] if body else [])])


def _author(hit: RankedHit) -> str:
    role = str(hit.payload.get("role") or "customer")
    where = "opening text" if hit.message < 0 else f"message {hit.message + 1}"
    note = ", internal note" if hit.payload.get("visibility") == "internal" else ""
    return f"{role}, {where}{note}{', the resolution' if hit.resolution else ''}"


def _excerpt(text: str, marked: list[str]) -> str:
    """The part of a long text that begins shortly before the first marked word."""
    if len(text) <= _PASSAGE_CHARACTERS:
        return text
    lower = text.lower()
    first = min((at for at in map(lower.find, marked) if at >= 0), default=0)
    start = 0 if first < _PASSAGE_CHARACTERS // 2 else text.rfind(" ", 0, first - _PASSAGE_CHARACTERS // 4) + 1
    end = start + _PASSAGE_CHARACTERS
    shown = text[start:end] if end >= len(text) else text[start:end].rsplit(" ", 1)[0] + " …"
    return f"… {shown}" if start else shown
