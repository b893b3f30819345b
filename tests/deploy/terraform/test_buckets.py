"""Every bucket of the plans is versioned, encrypted, private and logged, and prod's are copied to a second region."""

import json
import re
from typing import Any, Final

import pytest

from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.workspace import VARIABLES, Workspace

#: The buckets of the stream; that of the pages belongs to the distribution.
_NAMES: Final = ("archive", "feedback", "models")
_OURS: Final = r"module\.(buckets|artefacts|replica)\b"
_COPIED: Final = {f"ticketstream-prod-use1-{name}-123456789012" for name in _NAMES}
_COPIES: Final = {f"ticketstream-prod-use1-copy-{name}-123456789012" for name in _NAMES}


def _modules(planned: Planned) -> dict[str, dict[str, dict[str, Any]]]:
    """The values of each bucket's resources by type, by the bucket's name."""
    grouped: dict[str, dict[str, dict[str, Any]]] = {}
    for each in planned.resources():
        if each["type"].startswith("aws_s3_bucket") and re.search(_OURS, each["address"]):
            grouped.setdefault(each["address"].rsplit(".", 2)[0], {})[each["type"]] = each.get("values", {})
    return {parts["aws_s3_bucket"]["bucket"]: parts for parts in grouped.values()}


def test_each_bucket_is_versioned_private_and_encrypted(plans: dict[str, Planned]) -> None:
    """Every bucket keeps replaced versions, blocks public access, and has S3 encrypt: with KMS unless it holds logs."""
    for environment, planned in plans.items():
        buckets = _modules(planned)
        assert len(buckets) == (8 if environment == "prod" else 4)
        for name, parts in buckets.items():
            assert parts["aws_s3_bucket_versioning"]["versioning_configuration"][0]["status"] == "Enabled", name
            block = parts["aws_s3_bucket_public_access_block"]
            assert all(value for key, value in block.items() if key.startswith(("block", "ignore", "restrict"))), name
            (rule,) = parts["aws_s3_bucket_server_side_encryption_configuration"]["rule"]
            kind = rule["apply_server_side_encryption_by_default"][0]["sse_algorithm"]
            assert kind == ("AES256" if "-logs-" in name else "aws:kms"), name
            assert parts["aws_s3_bucket"]["force_destroy"] is (environment == "dev"), name


def test_objects_get_cheaper_and_stay_readable(plans: dict[str, Planned]) -> None:
    """Events move to classes that answer at once, and no rule deletes one; access logs are deleted after 90 days."""
    buckets = _modules(plans["prod"])
    for name, parts in buckets.items():
        rules = parts["aws_s3_bucket_lifecycle_configuration"]["rule"]
        moves = {move["storage_class"]: move["days"] for rule in rules for move in rule["transition"]}
        expiry = [one["days"] for rule in rules for one in rule["expiration"]]
        assert expiry == ([90] if "-logs-" in name else []), name
        if "use1-archive" in name:
            assert moves == {"STANDARD_IA": 30, "GLACIER_IR": 90}
        assert any(rule["noncurrent_version_expiration"] for rule in rules), name
        assert any(rule["abort_incomplete_multipart_upload"] for rule in rules), name


def test_each_access_is_logged(plans: dict[str, Planned]) -> None:
    """Every bucket but those of the logs has an access log in a folder of its own, which S3 alone may write."""
    for planned in plans.values():
        buckets = _modules(planned)
        logged = {name: parts["aws_s3_bucket_logging"] for name, parts in buckets.items() if "-logs-" not in name}
        assert len({(log["target_bucket"], log["target_prefix"]) for log in logged.values()}) == len(logged)
        assert all(log["target_prefix"] in {f"{one}/" for one in _NAMES} for log in logged.values())


def test_prod_is_copied_to_a_second_region(plans: dict[str, Planned]) -> None:
    """Events, verdicts and models of prod are copied within 15 minutes, encrypted objects too, and deletes are not."""
    buckets = _modules(plans["prod"])
    rules = {
        name: parts["aws_s3_bucket_replication_configuration"]["rule"][0]
        for name, parts in buckets.items()
        if "aws_s3_bucket_replication_configuration" in parts
    }
    assert set(rules) == _COPIED
    assert set(buckets) >= _COPIES
    for rule in rules.values():
        (criteria,) = rule["source_selection_criteria"]
        assert criteria["sse_kms_encrypted_objects"] == [{"status": "Enabled"}]
        assert rule["delete_marker_replication"] == [{"status": "Disabled"}]
        (target,) = rule["destination"]
        assert target["replication_time"][0]["time"] == [{"minutes": 15}]
    assert not any("aws_s3_bucket_replication_configuration" in parts for parts in _modules(plans["dev"]).values())


def test_the_copying_role_can_only_copy(plans: dict[str, Planned]) -> None:
    """S3's role reads the bucket's versions and writes copies; it can't delete, nor read objects as a user does."""
    roles = [each for each in plans["prod"].resources("aws_iam_role") if each["values"]["name"].endswith("-copy")]
    assert len(roles) == len(_COPIED)
    for role in roles:
        (statement,) = json.loads(role["values"]["assume_role_policy"])["Statement"]
        assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
        # With StringEquals, S3 could copy nothing if it didn't send the account.
        assert statement["Condition"] == {"StringEqualsIfExists": {"aws:SourceAccount": "123456789012"}}
        assert len(role["values"]["name"]) <= 64


def test_a_bucket_has_versions_before_it_is_copied_to(plans: dict[str, Planned]) -> None:
    """S3 refuses a copy to a bucket without versions, so the rule waits for those of the target."""
    copies = plans["prod"].content["configuration"]["root_module"]["module_calls"]["replica"]["module"]
    bucket = copies["module_calls"]["bucket"]["module"]
    assert bucket["outputs"]["arn"]["depends_on"] == ["aws_s3_bucket_versioning.this"]


@pytest.mark.thorough
def test_a_copy_beside_its_bucket_is_refused(workspace: Workspace) -> None:
    """A second region that is the first, or of another partition, is refused by name."""
    for region, said in (("us-east-1", "another region"), ("us-gov-west-1", "partition")):
        result = workspace.root("envs/prod").plan(VARIABLES["prod"] | {"replica_region": region})
        assert result.code == 1
        assert "replica_region must be" in result.errors()
        assert said in result.errors()
