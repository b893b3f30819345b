"""The buckets encrypt objects, keep deleted versions and are copied to the second region."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from archive.store import Versioned
from connectors.archive_store.bucket import BucketArchive
from tests.aws.roots import OTHER_REGION, Applied, applied, require_ministack, without_locks
from tests.deploy.terraform.emulators import Emulator, start_ministack
from tests.deploy.terraform.workspace import ACCOUNT, REGION

pytestmark = pytest.mark.thorough

_ROOT: Final = f"""
module "keys" {{
  source     = "./modules/keys"
  name       = "ticketstream-test"
  account_id = "{ACCOUNT}"
  region     = "{REGION}"
  partition  = "aws"
}}

module "replica" {{
  source        = "./modules/replica"
  providers     = {{ aws = aws.replica }}
  global_name   = "ticketstream-test-use1"
  account_id    = "{ACCOUNT}"
  region        = "{OTHER_REGION}"
  log_days      = 90
  force_destroy = true
}}

module "buckets" {{
  source        = "./modules/buckets"
  global_name   = "ticketstream-test-use1"
  account_id    = "{ACCOUNT}"
  region        = "{REGION}"
  partition     = "aws"
  key_arn       = module.keys.arns["events"]
  log_days      = 90
  force_destroy = true
  replica       = module.replica.replica
}}

output "names" {{
  value = module.buckets.names
}}

output "keys" {{
  value = module.keys.arns
}}

output "replica" {{
  value = module.replica.replica
}}
"""


class World:
    """The applied buckets, and a client of each region."""

    def __init__(self, stack: Applied, emulator: Emulator) -> None:
        self.stack = stack
        self.outputs = stack.outputs()
        self.s3 = emulator.client("s3")
        self.bucket: str = self.outputs["names"]["archive"]
        self.copy: str = self.outputs["replica"]["buckets"]["archive"].split(":::")[1]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """All buckets on ministack."""
    require_ministack()
    folder = tmp_path_factory.mktemp("buckets")
    with start_ministack(folder) as emulator, applied(_ROOT, folder / "root", emulator.url, without_locks) as stack:
        yield World(stack, emulator)


def test_a_second_plan_changes_nothing(world: World) -> None:
    """After the apply a plan has no change."""
    assert world.stack.changes() == {}


def test_an_archived_file_is_copied_to_the_second_region(world: World) -> None:
    """A file and a manifest, as the archiver writes them, are in the copy with each version; a delete is not copied."""
    archive = BucketArchive(world.s3, world.bucket, "")
    spool = world.stack.root.folder / "file"
    spool.write_bytes(b"events")
    with spool.open("rb") as source:
        assert archive.create("tickets.raw/a.b/00000/data/0.jsonl.gz", source)
        assert not archive.create("tickets.raw/a.b/00000/data/0.jsonl.gz", source)
    with spool.open("rb") as source:
        assert archive.create("tickets.raw/a.b/00000/manifest/0.jsonl", source)
    first = archive.read("tickets.raw/a.b/00000/manifest/0.jsonl")
    assert first is not None
    assert archive.replace("tickets.raw/a.b/00000/manifest/0.jsonl", b"two files", first.version)

    copies = BucketArchive(world.s3, world.copy, "")
    second = copies.read("tickets.raw/a.b/00000/manifest/0.jsonl")
    assert isinstance(second, Versioned)
    assert second.data == b"two files"
    head = world.s3.head_object(Bucket=world.bucket, Key="tickets.raw/a.b/00000/data/0.jsonl.gz")
    assert head["ReplicationStatus"] == "COMPLETED"

    world.s3.delete_object(Bucket=world.bucket, Key="tickets.raw/a.b/00000/data/0.jsonl.gz")
    assert archive.read("tickets.raw/a.b/00000/data/0.jsonl.gz") is None
    kept = copies.read("tickets.raw/a.b/00000/data/0.jsonl.gz")
    assert kept is not None
    assert kept.data == b"events"


def test_a_deleted_file_can_be_brought_back(world: World) -> None:
    """A delete in the first region hides the object, whose version is still there for a month."""
    world.s3.put_object(Bucket=world.bucket, Key="kept", Body=b"an event")
    world.s3.delete_object(Bucket=world.bucket, Key="kept")
    with pytest.raises(ClientError):
        world.s3.head_object(Bucket=world.bucket, Key="kept")
    found = world.s3.list_object_versions(Bucket=world.bucket, Prefix="kept")
    (marker,) = found["DeleteMarkers"]
    world.s3.delete_object(Bucket=world.bucket, Key="kept", VersionId=marker["VersionId"])
    assert world.s3.get_object(Bucket=world.bucket, Key="kept")["Body"].read() == b"an event"


def test_objects_are_encrypted_with_the_key_of_events(world: World) -> None:
    """Events and verdicts get the key of events without asking for it; the copies have a key of their region."""
    for name in ("archive", "feedback"):
        given = _encryption(world, world.outputs["names"][name])
        assert given == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": world.outputs["keys"]["events"]}
    copies = _encryption(world, world.copy)
    assert copies["KMSMasterKeyID"] == world.outputs["replica"]["key_arns"]["events"]
    assert f":{OTHER_REGION}:" in copies["KMSMasterKeyID"]
    (rule,) = world.s3.get_bucket_replication(Bucket=world.bucket)["ReplicationConfiguration"]["Rules"]
    assert rule["SourceSelectionCriteria"]["SseKmsEncryptedObjects"]["Status"] == "Enabled"
    assert rule["Destination"]["EncryptionConfiguration"]["ReplicaKmsKeyID"] == copies["KMSMasterKeyID"]
    assert rule["DeleteMarkerReplication"]["Status"] == "Disabled"


def _encryption(world: World, bucket: str) -> dict[str, Any]:
    (rule,) = world.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["BucketKeyEnabled"] is True
    return dict(rule["ApplyServerSideEncryptionByDefault"])
