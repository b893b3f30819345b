"""The embedded engine's parameters of a shard."""

import os
from functools import cache
from typing import Final

import qdrant_edge as edge

from connectors.qdrant.layout import TERMS, VECTOR
from connectors.qdrant.packing import indexes
from connectors.qdrant.sizes import SizeClass

#: Links of a vector in its tenant's graph, and candidates considered when it is inserted.
_LINKS: Final = 16
_CANDIDATES: Final = 100
#: Kilobytes of vectors (1.5 kB each) up to which comparing all matches of a filter is as fast as walking the graph.
_SCAN_KB: Final = 10_000
#: Kilobytes of vectors in a segment from which they are indexed, and up to which segments are merged: a build's memory
#: grows with the segment, and a search visits every segment.
_INDEXED_KB: Final = 10_000
_MERGED_KB: Final = 500_000
_SEGMENTS: Final = 3
#: Minimum vectors of a graph that a search compares, and vectors rescored per requested vector.
_EXPLORED: Final = 128
_OVERSAMPLING: Final = 2.0


def search_threads(points: int, *, dimension: int) -> int:
    """The number of threads that search a shard of `points` points; 1 means the calling thread.

    More threads pay off only if they search several large segments at once. Otherwise a search takes a quarter more
    CPU, and longer on busy CPUs.
    """
    kilobytes = points * dimension * 4 // 1_000
    return 1 if kilobytes <= _MERGED_KB else os.cpu_count() or 1


def shard_config(size: SizeClass, *, dimension: int, threads: int) -> edge.EdgeConfig:
    """The parameters of the shard's indexed segments, and the threads of a search.

    Every search is of one tenant, so there is a graph for each tenant and none over all (`m=0`).
    """
    hnsw = edge.HnswIndexConfig(
        m=0,
        payload_m=_LINKS,
        ef_construct=_CANDIDATES,
        full_scan_threshold=_SCAN_KB,
        memory=_memory(on_disk=size.graph_on_disk),
    )
    int8 = edge.ScalarQuantizationConfig(type=edge.ScalarType.Int8, memory=edge.Memory.Cached)
    vectors = edge.EdgeVectorParams(
        size=dimension, distance=edge.Distance.Cosine, memory=_memory(on_disk=size.vectors_on_disk)
    )
    terms = edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf, memory=_memory(on_disk=size.filters_on_disk))
    return edge.EdgeConfig(
        vectors={VECTOR: vectors},
        sparse_vectors={TERMS: terms},
        hnsw_config=hnsw,
        quantization_config=int8 if size.quantised else None,
        optimizers=edge.EdgeOptimizersConfig(
            default_segment_number=_SEGMENTS, max_segment_size=_MERGED_KB, indexing_threshold=_INDEXED_KB
        ),
        id_tracker_memory=_memory(on_disk=size.filters_on_disk),
        max_search_threads=threads,
    )


@cache
def search_params() -> edge.SearchParams:
    """The parameters of a search: the best of the int8 copies are compared again by the original vectors."""
    rescored = edge.QuantizationSearchParams(rescore=True, oversampling=_OVERSAMPLING)
    return edge.SearchParams(hnsw_ef=_EXPLORED, quantization=rescored)


def field_indexes(size: SizeClass) -> dict[str, edge.IntegerIndexParams]:
    """The payload indexes by field; only the tenant's values get graphs of their own."""
    memory = _memory(on_disk=size.filters_on_disk)
    return {
        field: edge.IntegerIndexParams(
            lookup=kind.lookup, range=kind.range, enable_hnsw=field == "tenant_id", memory=memory
        )
        for field, kind in indexes().items()
    }


def _memory(*, on_disk: bool) -> edge.Memory:
    return edge.Memory.Cold if on_disk else edge.Memory.Cached
