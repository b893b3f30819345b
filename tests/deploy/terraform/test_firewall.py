"""The firewall's rules, evaluated against requests: it refuses attacks and floods, and no request of ours."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from msgspec.structs import replace

from core.service_settings import LimitSettings
from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.firewall import Firewall, Request, Verdict
from tests.deploy.terraform.firewall_cases import BODY_BYTES, TICKET_BYTES, bad, from_openapi, good
from tests.deploy.terraform.signatures import GROUPS
from tests.deploy.terraform.table import Table

_Acl = dict[str, Any]
_LIMITS: Final = LimitSettings()
#: Above 399, the statuses that WAF can answer with; it refuses a web ACL that has another.
#: https://docs.aws.amazon.com/waf/latest/developerguide/customizing-the-response-status-codes.html
_STATUSES: Final = {*range(400, 402), *range(403, 406), 408, 409, *range(411, 417), 421, 429, *range(500, 506)}


@pytest.fixture
def acl(plans: dict[str, Planned]) -> _Acl:
    """The web ACL of prod's distribution."""
    return _acls(plans["prod"])["CLOUDFRONT"]


def _acls(planned: Planned) -> dict[str, _Acl]:
    found = [each["values"] for each in planned.resources("aws_wafv2_web_acl")]
    return {each["scope"]: each for each in found}


def _faults(acl: _Acl) -> Iterator[str]:
    """The faults of a web ACL."""
    firewall = Firewall(acl)
    for case in bad():
        verdict = firewall.ask(case.request)
        if verdict.status != case.status or case.rule not in ("", verdict.rule):
            yield f"{case.name}: {verdict}"
    for request in good():
        verdict = firewall.ask(request)
        if verdict.refused:
            yield f"{request.method} {request.path}?{request.query} {request.body[:60]!r}: {verdict}"
    yield from _faults_of_floods(acl)


def _faults_of_floods(acl: _Acl) -> Iterator[str]:
    limit, window_s = _LIMITS.address_requests, _LIMITS.window_s
    rates = [rule for rule in acl["rule"] if rule["statement"][0]["rate_based_statement"]]
    firewall, request = Firewall(acl | {"rule": rates}), Request(path="/api/v1/tickets")
    one_by_one = [firewall.ask(request, at_s=number * window_s / (limit + 1)) for number in range(limit + 1)]
    if any(verdict.refused for verdict in one_by_one[:limit]):
        yield "a request within the limit is refused"
    if one_by_one[limit].status != 429:
        yield "a request beyond the limit passes"
    if firewall.ask(replace(request, address="203.0.113.9"), at_s=window_s).refused:
        yield "another address is refused too"
    if firewall.ask(request, at_s=3 * window_s).refused:
        yield "an address is refused for ever"


def test_attacks_are_refused_and_our_requests_are_not(acl: _Acl, table: Table) -> None:
    """Attacks, floods and oversized bodies get their status; every request of ours passes, whatever its text quotes."""
    assert list(_faults(acl)) == []
    table.row("firewall: requests refused", "prod", len(bad()))
    table.row("firewall: requests let through", "prod", len(good()))


def test_the_api_has_the_same_rules_under_its_stage(plans: dict[str, Planned]) -> None:
    """The API's own firewall refuses and lets through the same; only floods are CloudFront's firewall's to count."""
    for planned in plans.values():
        firewall = Firewall(_acls(planned)["REGIONAL"])
        for case in bad():
            verdict = firewall.ask(replace(case.request, path=f"/live{case.request.path}"))
            assert verdict.status == case.status, case.name
        for request in good():
            if request.path.startswith("/api/"):
                assert not firewall.ask(replace(request, path=f"/live{request.path}")).refused, request
        (association,) = planned.resources("aws_wafv2_web_acl_association")
        assert association["index"] == "api"


def test_a_body_is_let_through_where_the_api_takes_one(acl: _Acl) -> None:
    """The requests with a body are those of the OpenAPI documents, and any body of another request is refused."""
    for request in from_openapi():
        other = replace(request, body=request.body or b"{}")
        verdict = Firewall(acl).ask(other)
        assert verdict.refused is not bool(request.body), request


def test_the_bounds_are_those_of_the_services(plans: dict[str, Planned]) -> None:
    """The largest bodies are those that the services take, and an address has as many requests."""
    for planned in plans.values():
        for acl in _acls(planned).values():
            firewall = Firewall(acl)
            for path, bound in (("/api/v1/tickets", TICKET_BYTES), ("/api/v1/answers", BODY_BYTES)):
                sent = [
                    Request(method="POST", path=path, headers={"content-length": str(bound + more)}) for more in (0, 1)
                ]
                assert [firewall.ask(each).status for each in sent] == [200, 413]
    assert (_LIMITS.address_requests, _LIMITS.window_s) == (1000, 300)


def test_every_counted_rule_exists(acl: _Acl) -> None:
    """AWS ignores the name of a rule that a group lacks, so a misspelt one would stay in force."""
    for rule in acl["rule"]:
        for group in rule["statement"][0]["managed_rule_group_statement"]:
            names = {each["name"] for each in group["rule_action_override"]}
            assert names <= set(GROUPS[group["name"]])
            assert {name for name in GROUPS[group["name"]] if name.endswith("_BODY")} <= names


def test_refusals_are_problem_documents(acl: _Acl) -> None:
    """A refusal has the form of the services' problems, with the status of its response, one that WAF can give."""
    bodies = {each["key"]: json.loads(each["content"]) for each in acl["custom_response_body"]}
    for rule in acl["rule"]:
        for action in rule["action"]:
            for block in action["block"]:
                (answer,) = block["custom_response"]
                problem = bodies[answer["custom_response_body_key"]]
                assert problem["status"] == answer["response_code"]
                assert problem["status"] in _STATUSES
                assert problem["type"].startswith("urn:ticketstream:problem:")
                assert problem["title"]


def test_logs_have_refused_requests_without_tokens(plans: dict[str, Planned]) -> None:
    """Each web ACL logs what it refuses, without access tokens and cookies, and shows no samples."""
    for planned in plans.values():
        logged = [each["values"] for each in planned.resources("aws_wafv2_web_acl_logging_configuration")]
        assert len(logged) == len(_acls(planned)) > 0
        for log in logged:
            redacted = {each["single_header"][0]["name"] for each in log["redacted_fields"]}
            assert redacted == {"authorization", "cookie", "x-origin-verify"}
            (rule,) = log["logging_filter"]
            assert rule["default_behavior"] == "DROP"
            kept = [each["action_condition"][0]["action"] for each in rule["filter"][0]["condition"]]
            assert (rule["filter"][0]["behavior"], kept) == ("KEEP", ["BLOCK"])
        for acl in _acls(planned).values():
            shown = [each["visibility_config"][0]["sampled_requests_enabled"] for each in (*acl["rule"], acl)]
            assert not any(shown)


# --- mutants


def _without(name: str) -> Callable[[_Acl], None]:
    def leave_out(acl: _Acl) -> None:
        kept = [rule for rule in acl["rule"] if rule["name"] != name]
        assert len(kept) < len(acl["rule"]), name
        acl["rule"] = kept

    return leave_out


def _counting(name: str) -> Callable[[_Acl], None]:
    def count(acl: _Acl) -> None:
        rule = _rule(acl, name)
        rule["action" if rule["action"] else "override_action"] = [
            {"count": [{}], "block": [], "allow": [], "none": []}
        ]

    return count


def _replaced(name: str, before: str, after: str) -> Callable[[_Acl], None]:
    def replace_text(acl: _Acl) -> None:
        rule = _rule(acl, name)
        text = json.dumps(rule["statement"])
        assert before in text, text
        rule["statement"] = json.loads(text.replace(before, after))

    return replace_text


def _blocking(group: str, counted: str) -> Callable[[_Acl], None]:
    def block(acl: _Acl) -> None:
        (values,) = _rule(acl, group)["statement"][0]["managed_rule_group_statement"]
        values["rule_action_override"] = [each for each in values["rule_action_override"] if each["name"] != counted]

    return block


def _last(name: str) -> Callable[[_Acl], None]:
    def move(acl: _Acl) -> None:
        _rule(acl, name)["priority"] = 1000

    return move


def _rule(acl: _Acl, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(rule for rule in acl["rule"] if rule["name"] == name)
    return found


_OWN: Final = ("flood", "too-large-ticket", "too-large-question", "stray-body", "too-long", "sql", "script")
_MUTANTS: Final[dict[str, Callable[[_Acl], None]]] = {
    **{f"{name} is left out": _without(name) for name in _OWN},
    **{f"{name} only counts": _counting(name) for name in _OWN},
    "AWS's rules only count": _counting("managed-core"),
    "AWS's rules on bad inputs are left out": _without("managed-bad-inputs"),
    "AWS's rules on SQL are left out": _without("managed-sql"),
    "an address may send more": _replaced("flood", '"limit": 1000', '"limit": 2000'),
    "an address may send less": _replaced("flood", '"limit": 1000', '"limit": 900'),
    "an address waits for an hour": _replaced("flood", '"evaluation_window_sec": 300', '"evaluation_window_sec": 3600'),
    "a ticket may be a little larger": _replaced("too-large-ticket", "{6}", "{7}"),
    "a question may be a little larger": _replaced("too-large-question", "26214[5-9]", "26214[6-9]"),
    "a question may be a little smaller": _replaced("too-large-question", "26214[5-9]", "26214[4-9]"),
    "comments are no text": _replaced("is-ticket", "/comments|", ""),
    "changes are no text": _replaced("is-ticket", "POST|PATCH", "POST"),
    "feedback is no text": _replaced("is-question", "/feedback", "/verdict"),
    "any end of a path is text": _replaced("is-ticket", "^/api", "/api"),
    "any start of a path is text": _replaced("is-ticket", ")?$", ")?"),
    "labels come too late": _last("is-ticket"),
    "any body is text": _replaced("stray-body", '"size": 0', '"size": 100000'),
    "SQL in a text is refused": _blocking("managed-sql", "SQLi_BODY"),
    "scripts in a text are refused": _blocking("managed-core", "CrossSiteScripting_BODY"),
    "large texts are refused": _blocking("managed-core", "SizeRestrictions_BODY"),
    "log4j in a text is refused": _blocking("managed-bad-inputs", "Log4JRCE_BODY"),
    "ids that end in .log are refused": _blocking("managed-core", "RestrictedExtensions_URIPATH"),
    "clients without a name are refused": _blocking("managed-core", "NoUserAgent_HEADER"),
    "long queries are refused": _blocking("managed-core", "SizeRestrictions_QUERYSTRING"),
    "SQL is looked for before decoding": _replaced("sql", '"URL_DECODE"', '"NONE"'),
    "scripts are looked for before entities are decoded": _replaced("script", '"HTML_ENTITY_DECODE"', '"NONE"'),
    "tokens are short": _replaced("too-long", '"size": 8192', '"size": 1000'),
    "long headers hide an attack": _replaced("too-long", '"MATCH"', '"CONTINUE"'),
    "everything is refused by default": lambda acl: acl.update(default_action=[{"block": [{}], "allow": []}]),
}


@pytest.mark.parametrize("name", _MUTANTS)
def test_a_wrong_rule_is_noticed(acl: _Acl, name: str) -> None:
    """With a rule changed for the worse, an attack passes or a request of ours is refused."""
    broken = copy.deepcopy(acl)
    _MUTANTS[name](broken)
    assert next(_faults(broken), None) is not None


def test_the_evaluator_stops_at_the_first_rule_that_decides(acl: _Acl) -> None:
    """A flood is a flood whatever else is wrong with its requests, and rules after a refusal see nothing."""
    firewall = Firewall(acl)
    attack = Request(path="/", query="a=<script>alert(1)</script>")
    verdicts = [firewall.ask(attack) for _ in range(_LIMITS.address_requests + 1)]
    assert verdicts[0] == Verdict(refused=True, rule="script", status=403)
    assert verdicts[-1] == Verdict(refused=True, rule="flood", status=429)
