"""A root module that hosts models: all of them, and the registry alone."""

from pathlib import Path
from typing import Final

from tests.deploy.terraform.workspace import ACCOUNT, REGION, Workspace

_EC2: Final = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
REPOSITORY: Final = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/trial/encoder"
SUBNET: Final = f"{_EC2}:subnet/subnet-1"
GROUP: Final = f"{_EC2}:security-group/sg-1"
KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/models"
TICKETS_KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/tickets"
_MODULE: Final = f"""
module "NAME" {{
  source      = "MODULES/hosted_models"
  name        = "NAME"
  global_name = "NAME-use1"
  account_id  = "{ACCOUNT}"
  region      = "{REGION}"
  partition   = "aws"
  image       = {{ url = "registry/encoder:0.2.0", repository_arn = "{REPOSITORY}" }}
  environment = {{ TICKETS_MODEL__STORE = "s3://models/minilm" }}
  models      = {{ bucket = "models", store = "minilm", key_arn = "{KEY}" }}
  network     = {{ subnets = ["{SUBNET}"], security_group = "{GROUP}" }}
  log_days    = 30
  topics      = {{ for name in ["critical", "warning"] : name => "arn:aws:sns:{REGION}:{ACCOUNT}:${{name}}" }}
  OPTIONS
}}
"""
_ALL: Final = f"""
  endpoint  = {{ min_instances = 2, max_instances = 6 }}
  training  = {{ bucket = "exports", prefix = "labelled", key_arn = "{TICKETS_KEY}" }}
  guardrail = true
"""
_CAPTURING: Final = f"""
  endpoint = {{
    instance_type = "ml.m5d.large"
    capture       = {{ bucket = "captures", percent = 5, key_arn = "{TICKETS_KEY}" }}
  }}
  training = {{ bucket = "exports", prefix = "labelled", set_log_days = false }}
"""
_MODULES: Final = {"trial": _ALL, "capturing": _CAPTURING, "bare": ""}


def calls(modules: str, *, guardrail: bool) -> str:
    """The calls of the module, whose folder is in `modules`."""
    made = (_MODULE.replace("NAME", name).replace("OPTIONS", options) for name, options in _MODULES.items())
    text = "".join(made).replace("MODULES", modules)
    return text if guardrail else text.replace("guardrail = true", "guardrail = false")


def write(workspace: Workspace) -> str:
    """Write the root module, and return its place. It can be planned without AWS."""
    place = "trial"
    folder: Path = workspace.folder / "terraform" / place
    folder.mkdir()
    provider = f'provider "aws" {{\n  region = "{REGION}"\n}}\n'
    (folder / "main.tf").write_text(provider + calls("../modules", guardrail=True))
    workspace.offline(place)
    return place
