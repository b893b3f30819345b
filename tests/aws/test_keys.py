"""The KMS keys' own policies, enforced: some refuse a role that has every right in IAM."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from tests.aws.roots import Applied, applied, require_ministack
from tests.deploy.terraform.emulators import Credentials, Emulator, start_ministack
from tests.deploy.terraform.workspace import ACCOUNT, REGION

pytestmark = pytest.mark.thorough

_ROOT: Final = f"""
module "keys" {{
  source     = "./modules/keys"
  name       = "ticketstream-test"
  account_id = "{ACCOUNT}"
  region     = "{REGION}"
  partition  = "aws"
  purposes   = ["data", "secrets", "telemetry", "events", "backup"]
}}

output "keys" {{
  value = module.keys.arns
}}
"""
#: Services that each key may be used through alone.
_VIA: Final = {
    "secrets": ["secretsmanager"],
    "events": ["s3"],
    "backup": ["backup", "dynamodb", "ec2"],
}
_DENIED: Final = "AccessDeniedException"


class World:
    """Keys on an emulator that enforces IAM and key policies."""

    def __init__(self, stack: Applied, emulator: Emulator) -> None:
        self.stack = stack
        self.emulator = emulator
        self.keys: dict[str, str] = stack.outputs()["keys"]

    def role(self, name: str, *statements: dict[str, Any]) -> Credentials:
        """The credentials of a new role with these rights."""
        iam = self.emulator.client("iam")
        trust = [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}]
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(*trust))["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=_document(*statements))
        return self.emulator.as_role(arn)

    def policy(self, purpose: str) -> list[dict[str, Any]]:
        """The statements of a key's policy."""
        kms = self.emulator.client("kms")
        text = kms.get_key_policy(KeyId=self.keys[purpose], PolicyName="default")["Policy"]
        return list(json.loads(text)["Statement"])


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _allow(*actions: str, on: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": [on]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """All keys on ministack."""
    require_ministack()
    folder = tmp_path_factory.mktemp("keys")
    with (
        start_ministack(folder, enforce=True) as emulator,
        applied(_ROOT, folder / "root", emulator.url) as stack,
    ):
        yield World(stack, emulator)


def _code(call: Any, **arguments: Any) -> str:
    """The error of a call, or nothing."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_a_second_plan_changes_nothing(world: World) -> None:
    """After the apply a plan has no change."""
    assert world.stack.changes() == {}


def test_a_role_without_the_grant_is_refused(world: World) -> None:
    """A role decrypts with a key that its policy names, and with no other; one without rights with none."""
    with_data = world.role("with-data", _allow("kms:Encrypt", "kms:Decrypt", on=world.keys["data"]))
    nobody = world.role("nobody", _allow("s3:GetObject"))
    kms = world.emulator.client("kms", with_data)
    secret = kms.encrypt(KeyId=world.keys["data"], Plaintext=b"a ticket")["CiphertextBlob"]
    assert kms.decrypt(KeyId=world.keys["data"], CiphertextBlob=secret)["Plaintext"] == b"a ticket"
    assert _code(kms.encrypt, KeyId=world.keys["telemetry"], Plaintext=b"a") == _DENIED
    other = world.emulator.client("kms", nobody)
    assert _code(other.decrypt, KeyId=world.keys["data"], CiphertextBlob=secret) == _DENIED


@pytest.mark.parametrize("purpose", sorted(_VIA))
def test_a_key_refuses_calls_outside_its_service(world: World, purpose: str) -> None:
    """A role with every right of KMS can neither decrypt nor encrypt with the key by itself, nor grant its use."""
    everything = world.role(f"administrator-of-{purpose}", _allow("kms:*"))
    kms = world.emulator.client("kms", everything)
    key = world.keys[purpose]
    assert _code(kms.encrypt, KeyId=key, Plaintext=b"a ticket") == _DENIED
    assert _code(kms.generate_data_key, KeyId=key, KeySpec="AES_256") == _DENIED
    assert _code(kms.create_grant, KeyId=key, GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:root", Operations=["Decrypt"])
    assert _code(kms.describe_key, KeyId=key) == ""


@pytest.mark.parametrize("purpose", sorted(_VIA))
def test_a_key_serves_its_services_alone(world: World, purpose: str) -> None:
    """The one statement that lets it be used demands a call through its services in this region."""
    (use,) = (one for one in world.policy(purpose) if one["Sid"] == "UseThroughServices")
    assert use["Condition"] == {
        "StringEquals": {"kms:ViaService": [f"{service}.{REGION}.amazonaws.com" for service in _VIA[purpose]]}
    }
    using = {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"}
    others = [one for one in world.policy(purpose) if one["Sid"] != "UseThroughServices"]
    assert not any(using & set(one["Action"]) or "kms:*" in one["Action"] for one in others)


def test_the_account_can_change_each_policy(world: World) -> None:
    """No key locks its owner out: the account may put another policy, and delete the key."""
    for purpose in world.keys:
        owner = world.policy(purpose)[0]
        assert owner["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        actions = owner["Action"] if isinstance(owner["Action"], list) else [owner["Action"]]
        assert "kms:*" in actions or {"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"} <= set(actions)
