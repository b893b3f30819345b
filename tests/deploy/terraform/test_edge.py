"""The plan of the public address: what CloudFront takes from where, keeps, sends and logs."""

import json
import re
from typing import Any, Final

import pytest

from core.client_settings import WebSettings
from services.http.pages import FOLDER, security_headers
from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.workspace import REGION, VARIABLES, Workspace

_EDGE: Final = VARIABLES["prod"]["edge"]
#: Managed-CachingDisabled, and the errors that CloudFront keeps unless it is told not to (CloudFront guide).
_NO_CACHE: Final = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_KEPT_ERRORS: Final = {400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}


@pytest.fixture
def edge(plans: dict[str, Planned]) -> list[dict[str, Any]]:
    """The resources of prod's edge."""
    return [each for each in plans["prod"].resources() if each["address"].startswith("module.edge[0].")]


@pytest.fixture
def distribution(edge: list[dict[str, Any]]) -> dict[str, Any]:
    """Its distribution."""
    return _one(edge, "aws_cloudfront_distribution")


def _of(edge: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {str(each.get("index")): each["values"] for each in edge if each["type"] == kind}


def _one(edge: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (values,) = _of(edge, kind).values()
    return values


def test_the_api_is_never_cached_and_gets_its_headers(distribution: dict[str, Any]) -> None:
    """Requests under /api/ go to the API over TLS with their headers, queries and methods, and nothing is kept."""
    api, static = distribution["ordered_cache_behavior"]
    assert (api["path_pattern"], api["target_origin_id"]) == ("/api/*", "api")
    assert api["cache_policy_id"] == _NO_CACHE
    assert api["viewer_protocol_policy"] == "https-only"
    assert api["compress"] is False
    assert set(api["allowed_methods"]) >= {"DELETE", "GET", "PATCH", "POST"}
    origins = {each["origin_id"]: each for each in distribution["origin"]}
    (connection,) = origins["api"]["custom_origin_config"]
    assert (origins["api"]["domain_name"], origins["api"]["origin_path"]) == tuple(_EDGE["api"].values())
    assert (connection["origin_protocol_policy"], connection["origin_ssl_protocols"]) == ("https-only", ["TLSv1.2"])
    assert (static["path_pattern"], static["target_origin_id"]) == ("/static/*", "pages")


def test_no_error_is_kept_and_the_api_s_errors_pass(distribution: dict[str, Any]) -> None:
    """An error of one caller is never given to another, and only an origin that is away is answered with a page."""
    errors = {each["error_code"]: each for each in distribution["custom_error_response"]}
    assert set(errors) == _KEPT_ERRORS
    assert all(each["error_caching_min_ttl"] == 0 for each in errors.values())
    assert {code for code, each in errors.items() if each.get("response_page_path")} == {502}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"edge": {k: v for k, v in _EDGE.items() if k != "api"}, "gateway": None}, "edge needs gateway, or api"),
        ({"edge": _EDGE | {"domain": VARIABLES["prod"]["services"]["domain"]}}, "edge.domain must not be"),
    ],
)
def test_an_edge_without_an_api_or_in_a_circle_is_refused(
    workspace: Workspace, change: dict[str, Any], message: str
) -> None:
    """The plan refuses an edge with nothing behind it, and one whose name the functions call themselves."""
    result = workspace.root("envs/prod").plan(VARIABLES["prod"] | change)
    assert result.code != 0
    assert message in result.errors()


def test_only_https_of_today_is_spoken(distribution: dict[str, Any], edge: list[dict[str, Any]]) -> None:
    """The page redirects to HTTPS, TLS is 1.2 or newer, and browsers are told to come by HTTPS alone for two years."""
    assert distribution["default_cache_behavior"][0]["viewer_protocol_policy"] == "redirect-to-https"
    assert distribution["viewer_certificate"][0]["minimum_protocol_version"] == "TLSv1.2_2021"
    policies = [each["values"] for each in edge if each["type"] == "aws_cloudfront_response_headers_policy"]
    assert len(policies) == 2
    for policy in policies:
        (security,) = policy["security_headers_config"]
        (transport,) = security["strict_transport_security"]
        assert (transport["access_control_max_age_sec"], transport["include_subdomains"]) == (63072000, True)
        assert security["content_type_options"] == [{"override": True}]


def test_the_page_has_the_headers_that_the_service_sends(edge: list[dict[str, Any]]) -> None:
    """CloudFront sends the security headers of services/http/pages.py, which the page is tested with."""
    policy = next(
        each["values"]
        for each in edge
        if each["type"] == "aws_cloudfront_response_headers_policy" and each["name"] == "page"
    )
    (security,) = policy["security_headers_config"]
    sent = {each["header"]: each["value"] for each in policy["custom_headers_config"][0]["items"]} | {
        "Content-Security-Policy": security["content_security_policy"][0]["content_security_policy"],
        "Referrer-Policy": security["referrer_policy"][0]["referrer_policy"],
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",  # S3 sends it
    }
    assert sent == security_headers(WebSettings())
    assert security["frame_options"] == [{"frame_option": "DENY", "override": True}]


def test_the_page_is_uploaded_under_the_name_of_its_content(edge: list[dict[str, Any]]) -> None:
    """Each file of web/ is an object of its type; index.html names them by their version, and isn't kept."""
    static = {name: each for name, each in _of(edge, "aws_s3_object").items() if each["key"].startswith("static/")}
    roots = {name: each for name, each in _of(edge, "aws_s3_object").items() if name not in static}
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    assert set(static) == files - {"index.html", "config.json"}
    assert set(roots) == {"index.html", "config.json", "unavailable.html"}
    (version,) = {each["key"].split("/")[1] for each in static.values()}
    linked = set(re.findall(r'(?:href|src)="(?!#)([^"]+)"', roots["index.html"]["content"]))
    assert {path.removeprefix(f"static/{version}/") for path in linked} <= set(static)
    assert all(path.startswith(f"static/{version}/") for path in linked)
    assert all("immutable" in each["cache_control"] for each in static.values())
    assert all(each["cache_control"] == "no-cache" for each in roots.values())
    assert static["js/main.js"]["content_type"].startswith("text/javascript")
    config = json.loads(roots["config.json"]["content"])
    assert config.keys() == json.loads((FOLDER / "config.json").read_text()).keys()
    assert config["ticket_url"] == _EDGE["page"]["ticket_url"]


def test_nobody_else_reads_the_bucket(edge: list[dict[str, Any]], plans: dict[str, Planned]) -> None:
    """The bucket is private, and requests to it are signed; its policy names the distribution's ARN."""
    block = _one(edge, "aws_s3_bucket_public_access_block")
    assert [name for name, value in block.items() if value is True] == [
        "block_public_acls",
        "block_public_policy",
        "ignore_public_acls",
        "restrict_public_buckets",
    ]
    access = _one(edge, "aws_cloudfront_origin_access_control")
    assert (access["signing_behavior"], access["signing_protocol"]) == ("always", "sigv4")
    calls = plans["prod"].content["configuration"]["root_module"]["module_calls"]
    (policy,) = (each for each in calls["edge"]["module"]["resources"] if each["type"] == "aws_s3_bucket_policy")
    assert "aws_cloudfront_distribution.this.arn" in policy["expressions"]["policy"]["references"]


def test_the_domain_leads_to_the_distribution(edge: list[dict[str, Any]], plans: dict[str, Planned]) -> None:
    """The zone has A and AAAA records, and the certificate in us-east-1 is proved by DNS."""
    records = [each["values"] for each in edge if each["type"] == "aws_route53_record" and each["name"] == "alias"]
    assert {(each["type"], each["name"], each["zone_id"]) for each in records} == {
        (kind, _EDGE["domain"], _EDGE["zone_id"]) for kind in ("A", "AAAA")
    }
    certificate = _one(edge, "aws_acm_certificate")
    assert (certificate["domain_name"], certificate["validation_method"]) == (_EDGE["domain"], "DNS")
    configured = plans["prod"].content["configuration"]
    resources = configured["root_module"]["module_calls"]["edge"]["module"]["resources"]
    abroad = {each["type"] for each in resources if each["provider_config_key"].endswith("us_east_1")}
    assert abroad >= {"aws_acm_certificate", "aws_cloudwatch_log_group", "aws_cloudwatch_metric_alarm"}
    assert configured["provider_config"]["aws.us_east_1"]["expressions"]["region"]["constant_value"] == "us-east-1"


def test_access_is_logged_without_addresses(edge: list[dict[str, Any]]) -> None:
    """The access log is kept for 30 days, and has neither addresses nor queries nor cookies."""
    fields = set(_one(edge, "aws_cloudwatch_log_delivery")["record_fields"])
    assert {"date", "time", "cs-uri-stem", "sc-status"} <= fields
    assert not fields & {"c-ip", "cs-uri-query", "cs(Cookie)", "cs(Referer)", "x-forwarded-for"}


def test_every_log_is_kept_for_thirty_days(plans: dict[str, Planned]) -> None:
    """No log group is kept for ever, or for less than 30 days."""
    for planned in plans.values():
        groups = planned.resources("aws_cloudwatch_log_group")
        assert len(groups) > 8
        assert {each["values"]["retention_in_days"] for each in groups} == {30}


def test_another_region_has_no_alarm_that_nobody_would_hear(plans: dict[str, Planned]) -> None:
    """In us-east-1 CloudFront's alarms use the stack's topics; the files leave them out elsewhere."""
    assert REGION == "us-east-1"
    alarms = [
        each["index"]
        for each in plans["prod"].resources("aws_cloudwatch_metric_alarm")
        if each["address"].startswith("module.edge[0].")
    ]
    assert sorted(alarms) == ["errors", "refused"]
