"""A gRPC interceptor that counts calls, checks the API key and injects faults."""

import threading
from collections.abc import Callable
from typing import Any, Final, NoReturn

import grpc
from qdrant_client import grpc as q

from tests.rigs.qdrant_facade.faults import Fault, Faults, Kind

Handler = Callable[[Any, Any], Any]

_KINDS: Final[dict[str, Kind]] = {
    "/qdrant.Points/UpdateBatch": "writes",
    "/qdrant.Points/QueryBatch": "searches",
    "/qdrant.Points/Get": "reads",
    "/qdrant.Points/Scroll": "reads",
    "/qdrant.Points/Count": "reads",
}
_GLANCE_S: Final = 0.05
_STATUS: Final = {"acknowledged": q.UpdateStatus.Acknowledged, "wait_timeout": q.UpdateStatus.WaitTimeout}


class Gate(grpc.ServerInterceptor):  # type: ignore[misc]  # untyped
    """The interceptor; `reset` breaks the connections."""

    def __init__(self, faults: Faults, *, api_key: str | None, reset: Callable[[], object]) -> None:
        self._faults = faults
        self._api_key = api_key
        self._reset = reset
        self._late: list[threading.Timer] = []

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """See `grpc.ServerInterceptor`."""
        handler = continuation(details)
        if handler is None:
            return None
        of_method = _KINDS.get(details.method, "other")
        known = self._api_key is None or ("api-key", self._api_key) in [(k, v) for k, v in details.invocation_metadata]

        def behave(request: Any, context: Any) -> Any:
            kind: Kind = "notes" if of_method == "writes" and _is_note(request) else of_method
            with self._faults.call(kind):
                if not known:
                    context.abort(grpc.StatusCode.UNAUTHENTICATED, "Invalid API key")
                fault = self._faults.due(kind, lambda ticket_id: _holds(request, ticket_id))
                if fault is None:
                    return handler.unary_unary(request, context)
                self._faults.happened(fault.what)
                return self._break(fault, handler.unary_unary, request, context)

        return grpc.unary_unary_rpc_method_handler(
            behave, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer
        )

    def close(self) -> None:
        """Drop pending late writes."""
        for timer in self._late:
            timer.cancel()
            timer.join()

    def _break(self, fault: Fault, handle: Handler, request: Any, context: Any) -> Any:
        match fault.what:
            case "slow":
                self._faults.healed.wait(fault.seconds)
                return handle(request, context)
            case "hang":
                self._hang(context)
            case "reset":
                self._reset()
                context.abort(grpc.StatusCode.UNAVAILABLE, "reset")
            case "response_lost":
                handle(request, context)
                context.abort(grpc.StatusCode.UNAVAILABLE, "the response is lost")
            case "applied_late":
                self._later(fault.seconds, handle, request)
                context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "it takes too long")
            case "partly_applied":
                handle(_half(request), context)
                context.abort(grpc.StatusCode.INTERNAL, "half of the points are applied")
            case "wait_timeout":
                self._later(fault.seconds, handle, request)
                taken_in = q.UpdateResult(operation_id=0, status=_STATUS[fault.status])
                return q.UpdateBatchResponse(result=[taken_in] * len(request.operations))
            case "refuses_point":
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a point is refused")
        if fault.retry_after_s is not None:
            context.set_trailing_metadata((("retry-after", str(fault.retry_after_s)),))
        context.abort(grpc.StatusCode[fault.code], "refused")
        raise AssertionError  # abort raises

    def _hang(self, context: Any) -> NoReturn:
        healed = self._faults.healed
        while context.is_active() and not healed.wait(_GLANCE_S):
            pass
        context.abort(grpc.StatusCode.UNAVAILABLE, "it hung")
        raise AssertionError  # abort raises

    def _later(self, seconds: float | None, handle: Handler, request: Any) -> None:
        if seconds is not None:
            timer = threading.Timer(seconds, handle, (request, None))
            self._late.append(timer)
            timer.start()


def _is_note(request: Any) -> bool:
    """Whether a write holds the index's provenance and no ticket."""
    points = [point for operation in request.operations for point in operation.upsert.points]
    return bool(points) and all("provenance" in point.payload for point in points)


def _holds(request: Any, ticket_id: str) -> bool:
    points = (point for operation in request.operations for point in operation.upsert.points)
    return any("ticket_id" in p.payload and p.payload["ticket_id"].string_value == ticket_id for p in points)


def _half(request: Any) -> Any:
    """The request with the first half of its points, rounded up, in the order of its operations."""
    left = (sum(len(operation.upsert.points) for operation in request.operations) + 1) // 2
    half = type(request)()
    half.CopyFrom(request)
    for operation in half.operations:
        points = operation.upsert.points
        del points[left:]
        left -= len(points)
    return half
