"""docs/drawing.md has a row for each box of the first drawing, and each row names a test that exists."""

import re
from pathlib import Path
from typing import Final

import pytest

_ROOT: Final = Path(__file__).parents[2]
_PAGE: Final = _ROOT / "docs" / "drawing.md"
_TABLE: Final = re.compile(r"<!-- drawing -->\n.*?\n.*?\n(.*?)<!-- end -->", re.DOTALL)
_TEST: Final = re.compile(r"`(tests/[\w/]+\.py)`")
#: The boxes of the drawing, in its order.
BOXES: Final = (
    *("VPC", "NAT gateways", "Load balancer", "Enrichment service", "Embedding worker", "RAG service", "Qdrant"),
    *("Ticket controllers", "Response controllers", "Workflow orchestration", "Data transformation"),
    *("Kafka producers", "MSK", "Topics", "SageMaker endpoints", "SageMaker training", "Model registry", "Bedrock"),
    *("Bucket of raw data", "Bucket of models", "Feedback", "Web assets", "DynamoDB tables", "ElastiCache"),
    *("IAM roles", "Cognito", "Secrets Manager", "KMS", "WAF", "Logs", "Metrics and dashboards", "Alarms", "X-Ray"),
    *("SNS topics", "API Gateway", "CloudFront", "Route 53 and ACM", "RDS", "Multi-AZ", "Auto-scaling"),
    *("Disaster recovery", "Estimated cost"),
)


def _rows() -> dict[str, tuple[str, list[str]]]:
    """The text of "built as" of each box, and the tests of its row."""
    found = _TABLE.search(_PAGE.read_text())
    assert found is not None
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].strip().splitlines()]
    return {box: (built, _TEST.findall(proved)) for box, built, _, proved in cells}


def test_each_box_has_a_row() -> None:
    """No box of the drawing is forgotten, and none is there twice."""
    assert tuple(_rows()) == BOXES


@pytest.mark.parametrize("box", BOXES)
def test_a_row_names_a_test_that_exists(box: str) -> None:
    """A box that was built has a test; one that wasn't says so."""
    built, tests = _rows()[box]
    assert tests or built.startswith("not built"), box
    for test in tests:
        assert "def test_" in (_ROOT / test).read_text(), test
