"""A Qdrant server to break: its gRPC face over the embedded engine, in this process or in one of its own."""

from tests.rigs.qdrant_facade.facade import QdrantFacade
from tests.rigs.qdrant_facade.faults import Counts, Fault
from tests.rigs.qdrant_facade.process import FacadeProcess

__all__ = ["Counts", "FacadeProcess", "Fault", "QdrantFacade"]
