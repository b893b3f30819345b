"""Size classes of an index, which decide what is quantised and what stays on disk (docs/operations.md)."""

from typing import Final, Literal

from msgspec import Struct

SizeName = Literal["small", "medium", "large"]


class SizeClass(Struct, frozen=True):
    """The places of an index's parts.

    Attributes:
        quantised: searches compare int8 copies of the vectors, and rescore the best ones with the originals.
        vectors_on_disk: the original vectors are read from disk when they are needed.
        graph_on_disk: likewise the graph.
        filters_on_disk: likewise the payload indexes and the terms.
    """

    quantised: bool = False
    vectors_on_disk: bool = False
    graph_on_disk: bool = False
    filters_on_disk: bool = False


SIZES: Final[dict[SizeName, SizeClass]] = {
    "small": SizeClass(),
    "medium": SizeClass(quantised=True, vectors_on_disk=True),
    "large": SizeClass(quantised=True, vectors_on_disk=True, graph_on_disk=True, filters_on_disk=True),
}
