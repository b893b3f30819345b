"""A fake Qdrant server with fault injection: the gRPC API over the embedded engine, in this or a separate process."""

from tests.rigs.qdrant_facade.facade import QdrantFacade
from tests.rigs.qdrant_facade.faults import Counts, Fault
from tests.rigs.qdrant_facade.process import FacadeProcess

__all__ = ["Counts", "FacadeProcess", "Fault", "QdrantFacade"]
