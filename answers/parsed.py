"""The parsed form of a sentence: its words, and their negations and conditions, clause by clause."""

from msgspec import Struct


class Clause(Struct, frozen=True):
    """A clause of a sentence.

    Attributes:
        content: stems of its content words and its exact tokens.
        negations: number of negations.
        averts: it says that something is to be avoided, or fails to happen.
        refers: it has a word that stands for a noun of another clause.
        forms: all its words, folded.
        conditions: classes of its conditions.
        part: number of its part of the sentence. Parts end at marks that separate more than a comma does.
        opens: it stands before the first comma of its part, and may limit the rest.
        comments: it says something about the clause before it.
    """

    content: tuple[str, ...]
    negations: int
    averts: bool = False
    refers: bool = False
    forms: frozenset[str] = frozenset()
    conditions: frozenset[str] = frozenset()
    part: int = 0
    opens: bool = False
    comments: bool = False


class Reading(Struct, frozen=True):
    """The claim of a sentence.

    Attributes:
        plain: the sentence folded, on one line, with `>` between the steps of a menu.
        forms: all its words, folded.
        content: stems of its content words and its exact tokens, in order.
        exact: quantities, codes, versions, addresses, paths, acronyms and placeholders, folded, in order.
        names: stems of its capitalised words, except the first of a clause.
        openers: places in `content` of the capitalised words that begin a clause, which may be names.
        paths: menus, such as `settings>date`.
        conditions: classes of its conditions, sorted.
        scopes: operators with words that they are about: "if", "because", "only", "to", and in English "not".
        refers: it has a pronoun, which stands for a word of an earlier sentence.
        ordered: a word such as "before" makes the order of the others matter.
    """

    plain: str
    forms: frozenset[str]
    content: tuple[str, ...]
    exact: tuple[str, ...]
    names: tuple[str, ...]
    openers: tuple[int, ...]
    paths: tuple[str, ...]
    conditions: tuple[str, ...]
    scopes: frozenset[tuple[str, str]]
    refers: bool
    ordered: bool
    clauses: tuple[Clause, ...]
