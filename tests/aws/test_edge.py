"""The public address on an emulator of CloudFront: the page, its paths and headers, and its private bucket.

ministack's CloudFront has no cache and no firewall, finds an API by DNS alone, and answers itself for an origin that it
can't reach. tests/deploy/terraform/test_edge.py and test_firewall.py cover those on the plan.
"""

import http.client
import json
import os
import shutil
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from msgspec import Struct

from core.client_settings import WebSettings
from services.http.pages import FOLDER, security_headers
from tests.deploy.terraform.emulators import MINISTACK, Emulator, start_ministack
from tests.deploy.terraform.tool import Root, find_tool, resources
from tests.deploy.terraform.workspace import ACCOUNT, DEPLOY, REGION
from tests.rigs.waiting import PATIENCE_S

pytestmark = pytest.mark.thorough

_PROVIDER: Final = f"""
  region                      = "{REGION}"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
  max_retries                 = 2
}}
"""
_ROOT: Final = f"""
provider "aws" {{
{_PROVIDER}
provider "aws" {{
  alias = "us_east_1"
{_PROVIDER}
resource "aws_route53_zone" "this" {{
  name = "example.com"
}}

module "firewall" {{
  source    = "./modules/firewall"
  providers = {{ aws = aws.us_east_1 }}
  name      = "ticketstream-test-edge"
  scope     = "CLOUDFRONT"
}}

module "edge" {{
  source         = "./modules/edge"
  providers      = {{ aws = aws, aws.us_east_1 = aws.us_east_1 }}
  name           = "ticketstream-test"
  global_name    = "ticketstream-test-use1"
  account_id     = "{ACCOUNT}"
  domain         = "tickets.example.com"
  zone_id        = aws_route53_zone.this.zone_id
  api            = {{ domain = "api.invalid", path = "/prod" }}
  pages          = "{FOLDER}"
  web_acl_arn    = module.firewall.arn
  web_acl_metric = module.firewall.metrics.acl
  force_destroy  = true
}}

output "edge" {{
  value = module.edge
}}
"""
#: ministack's CloudFront reads from its S3 without TLS, which the bucket's policy refuses.
_PLAINTEXT: Final = '"aws:SecureTransport" = "false"'
#: Resources that ministack returns otherwise than they were written, so a plan would change them.
_OTHERWISE: Final = {
    "module.edge.aws_cloudfront_response_headers_policy.api",
    "module.edge.aws_cloudfront_response_headers_policy.page",
    "module.firewall.aws_wafv2_web_acl.this",
}
#: Resources that ministack lacks.
_WITHOUT: Final = {"modules/firewall/logging.tf"}


class Edge(Struct, frozen=True):
    """A distribution on an emulator, and the root module that made it."""

    emulator: Emulator
    root: Root
    outputs: dict[str, Any]

    def ask(self, path: str, *, method: str = "GET", scheme: str = "https") -> tuple[int, dict[str, str], bytes]:
        """Status, headers (names in lower case) and body of the distribution's response."""
        parts = urlsplit(self.emulator.url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE_S)
        try:
            domain = self.outputs["distribution"]["domain"]
            connection.request(method, path, headers={"Host": domain, "X-Forwarded-Proto": scheme})
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """The edge and its firewall, applied by the real provider, and destroyed at the end, which must leave nothing."""
    tool, folder = find_tool(), tmp_path_factory.mktemp("edge")
    if tool is None:
        pytest.skip("terraform 1.11 or newer is not installed")
    if not MINISTACK.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("ministack is not installed; run `make aws-test`")
    shutil.copytree(DEPLOY / "terraform" / "modules", folder / "modules")
    for place in _WITHOUT:
        (folder / place).unlink()
    pages = folder / "modules" / "edge" / "pages.tf"
    pages.write_text(pages.read_text().replace(_PLAINTEXT, _PLAINTEXT.replace("false", "never")))
    (folder / "main.tf").write_text(_ROOT)
    with start_ministack(folder) as emulator:
        root = Root(tool, folder, endpoint=emulator.url)
        for result in (root.init(), root.apply({})):
            assert result.code == 0, result.errors() or result.out
        yield Edge(emulator, root, root.show()["values"]["outputs"]["edge"]["value"])
        result = root.destroy({})
        assert result.code == 0, result.errors()
        assert resources(root.show().get("values", {}).get("root_module", {})) == []


def test_the_page_is_served_with_its_security_headers(edge: Edge) -> None:
    """`/` is index.html with the headers that the service sends, and each file that it names is served."""
    status, headers, body = edge.ask("/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    wanted = {name.lower(): value for name, value in security_headers(WebSettings()).items()}
    assert {name: headers.get(name) for name in wanted} == wanted
    assert headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
    assert headers["x-frame-options"] == "DENY"
    (script,) = (line.split('"')[-2] for line in body.decode().splitlines() if "<script" in line)
    status, headers, body = edge.ask(f"/{script}")
    assert (status, body) == (200, (FOLDER / "js" / "main.js").read_bytes())
    assert headers["content-type"].startswith("text/javascript")
    assert "immutable" in headers["cache-control"]


def test_the_page_finds_its_configuration(edge: Edge) -> None:
    """config.json names the page's own domain as the API's."""
    status, _, body = edge.ask("/config.json")
    assert (status, json.loads(body)["api"]) == (200, "")


def test_http_is_redirected_for_the_page_and_refused_for_the_api(edge: Edge) -> None:
    """A browser is sent to HTTPS; a token that comes in plain text is not answered as if that were right."""
    status, headers, _ = edge.ask("/index.html", scheme="http")
    assert (status, headers["location"].startswith("https://")) == (301, True)
    assert edge.ask("/api/v1/tickets", scheme="http")[0] == 403


def test_nothing_is_written_through_the_page_s_paths(edge: Edge) -> None:
    """The page's paths accept GET and HEAD only."""
    assert edge.ask("/index.html", method="PUT")[0] == 403
    assert edge.ask("/index.html", method="HEAD")[0] == 200


def test_requests_of_the_api_go_to_its_origin(edge: Edge) -> None:
    """Requests of the API never reach the bucket: if the API's origin doesn't exist, they are 502."""
    assert edge.ask("/api/v1/tickets")[0] == 502


def test_without_the_bucket_s_policy_nobody_reads_the_page(edge: Edge) -> None:
    """The bucket's policy admits this distribution, and no other."""
    s3, bucket = edge.emulator.client("s3"), edge.outputs["bucket"]
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    other = policy.replace(edge.outputs["distribution"]["id"], "EOTHERDISTRIBUTION")
    try:
        s3.put_bucket_policy(Bucket=bucket, Policy=other)
        assert edge.ask("/index.html")[0] == 403
        s3.delete_bucket_policy(Bucket=bucket)
        assert edge.ask("/index.html")[0] == 403
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert edge.ask("/index.html")[0] == 200


def test_the_domain_leads_to_the_distribution(edge: Edge) -> None:
    """The zone has alias records of the distribution for both kinds of addresses."""
    (zone,) = edge.emulator.client("route53").list_hosted_zones()["HostedZones"]
    sets = edge.emulator.client("route53").list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    aliases = {each["Type"]: each["AliasTarget"]["DNSName"].rstrip(".") for each in sets if "AliasTarget" in each}
    assert aliases == dict.fromkeys(("A", "AAAA"), edge.outputs["distribution"]["domain"])


def test_the_distribution_has_the_firewall(edge: Edge) -> None:
    """The web ACL is the distribution's, with all rules of the plan."""
    client = edge.emulator.client("cloudfront")
    config = client.get_distribution_config(Id=edge.outputs["distribution"]["id"])["DistributionConfig"]
    (summary,) = edge.emulator.client("wafv2").list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    assert config["WebACLId"] == summary["ARN"]
    acl = edge.emulator.client("wafv2").get_web_acl(Name=summary["Name"], Scope="CLOUDFRONT", Id=summary["Id"])
    assert {rule["Name"] for rule in acl["WebACL"]["Rules"]} >= {"flood", "stray-body", "sql", "script", "managed-core"}


def test_a_second_plan_changes_nothing(edge: Edge) -> None:
    """After the apply a plan has no change, except in values that the emulator doesn't return."""
    path = edge.root.folder / "second.tfplan"
    result = edge.root.plan({}, to=path)
    assert result.code == 0, result.errors()
    changes = {one["address"]: one["change"]["actions"] for one in edge.root.show(path)["resource_changes"]}
    changed = {address for address, actions in changes.items() if actions not in (["no-op"], ["read"])}
    assert changed <= _OTHERWISE
