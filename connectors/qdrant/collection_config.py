"""The parameters of a collection and of its payload indexes on a Qdrant server, by size class."""

from typing import Final, Literal

from qdrant_client import models

from connectors.qdrant.sizes import SizeClass

#: Links of a vector in its tenant's graph, as the server's own default for a graph over all vectors.
_LINKS: Final = 16

#: The best of the int8 copies are compared again by the original vectors, so that scores are exact.
SEARCH_PARAMS: Final = models.SearchParams(quantization=models.QuantizationSearchParams(rescore=True, oversampling=2.0))

Schema = models.KeywordIndexParams | models.IntegerIndexParams


def rarity_params(corpus: models.Filter | None) -> models.SearchParams | None:
    """The parameters of a search by words, whose rarity is counted among the points that match `corpus`."""
    return models.SearchParams(idf=models.IdfCorpusParams(corpus=corpus)) if corpus else None


def vector_params(size: SizeClass, dimension: int) -> models.VectorParams:
    """The named vector's parameters."""
    return models.VectorParams(
        size=dimension, distance=models.Distance.COSINE, on_disk=True if size.vectors_on_disk else None
    )


def hnsw_config(size: SizeClass) -> models.HnswConfigDiff:
    """A graph for each tenant and none over all, as every search is of one tenant."""
    return models.HnswConfigDiff(m=0, payload_m=_LINKS, on_disk=True if size.graph_on_disk else None)


def quantization_config(size: SizeClass) -> models.ScalarQuantization | None:
    """Copies of the vectors in int8, which stay in memory."""
    if not size.quantised:
        return None
    return models.ScalarQuantization(
        scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
    )


def field_schema(size: SizeClass, kind: Literal["tenant", "keyword", "integer"]) -> Schema:
    """The parameters of a payload index. Only the tenant's values get graphs of their own."""
    on_disk = True if size.filters_on_disk else None
    if kind == "integer":
        return models.IntegerIndexParams(
            type=models.IntegerIndexType.INTEGER, lookup=True, range=True, on_disk=on_disk, enable_hnsw=False
        )
    if kind == "keyword":
        return models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, on_disk=on_disk, enable_hnsw=False)
    return models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, on_disk=on_disk, is_tenant=True)
