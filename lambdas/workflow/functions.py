"""The entry points of the workflow's functions, which share one zip."""

from typing import Final

from lambdas.function import Function
from lambdas.workflow import steps
from lambdas.workflow.start import open_start

start: Final = Function("workflow-start", open_start)
classify: Final = Function("workflow-classify", steps.opened(steps.classify))
find: Final = Function("workflow-find", steps.opened(steps.find))
answer: Final = Function("workflow-answer", steps.opened(steps.answer))
decide: Final = Function("workflow-decide", steps.opened(steps.decide))
