"""AWS WAF's evaluation of requests, for web ACLs of a plan: priorities, labels, actions, overrides, rates, size limits.

No emulator does this. The rules are those of the WAF guide. AWS keeps the contents of its rule groups secret, and uses
libinjection for SQL and scripts; `signatures` has what stands for them.
"""

import html
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Final
from urllib.parse import unquote_plus

from msgspec import Struct, field, structs

from tests.deploy.terraform.signatures import GROUPS, looks_like_script, looks_like_sql

_Values = Mapping[str, Any]
#: Bytes of a body that WAF looks at by default, by scope (a load balancer has 8 KB).
_INSPECTED: Final = {"CLOUDFRONT": 16 * 1024, "REGIONAL": 16 * 1024}
#: Bytes of the headers that WAF looks at, and their number; the guide says "up to the first limit reached".
_INSPECTED_HEADERS: Final = (8 * 1024, 200)
_COMPARISONS: Final[dict[str, Callable[[int, int], bool]]] = {
    "GT": lambda size, bound: size > bound,
    "GE": lambda size, bound: size >= bound,
    "EQ": lambda size, bound: size == bound,
}
_POSITIONS: Final[dict[str, Callable[[str, str], bool]]] = {
    "EXACTLY": lambda text, wanted: text == wanted,
    "STARTS_WITH": lambda text, wanted: text.startswith(wanted),
    "CONTAINS": lambda text, wanted: wanted in text,
}
_TRANSFORMATIONS: Final[dict[str, Callable[[str], str]]] = {
    "NONE": lambda text: text,
    "URL_DECODE": unquote_plus,  # as ModSecurity, after which WAF names its transformations
    "HTML_ENTITY_DECODE": html.unescape,
    "LOWERCASE": str.lower,
}


class Request(Struct, frozen=True, kw_only=True):
    """A request as WAF sees it. Header names are in lower case."""

    method: str = "GET"
    path: str = "/"
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    address: str = "198.51.100.7"


class Verdict(Struct, frozen=True):
    """The rule that ended the evaluation (none if the default action did), and the status that it answers with."""

    refused: bool
    rule: str = ""
    status: int = 200


class Firewall:
    """A web ACL.

    Args:
        acl: the values of an `aws_wafv2_web_acl`.
    """

    def __init__(self, acl: _Values) -> None:
        self._rules = sorted(map(_given, acl["rule"]), key=lambda rule: int(rule["priority"]))
        self._inspected = _INSPECTED[acl["scope"]]
        self._refuses = bool(acl["default_action"][0]["block"])
        self._seen: dict[tuple[str, str], deque[float]] = {}

    def ask(self, request: Request, *, at_s: float = 0) -> Verdict:
        """The verdict on a request that arrives at this time; times don't go back."""
        evaluation = _Evaluation(request, self._inspected, at_s, self._seen)
        for rule in self._rules:
            if "override_action" in rule:
                refused_by = evaluation.refusing_rule(rule)
                if refused_by:
                    return Verdict(refused=True, rule=f"{rule['name']}: {refused_by}", status=403)
                continue
            if not evaluation.matches(rule["statement"][0], rule["name"]):
                continue
            evaluation.labels |= {label["name"] for label in rule.get("rule_label", [])}
            (action,) = rule["action"]
            if "block" in action:
                answers = action["block"][0].get("custom_response", [{"response_code": 403}])
                return Verdict(refused=True, rule=rule["name"], status=answers[0]["response_code"])
            assert "count" in action, f"{rule['name']}: only block and count are known"
        return Verdict(refused=self._refuses, status=403 if self._refuses else 200)


class _Evaluation:
    """The evaluation of one request."""

    def __init__(
        self, request: Request, inspected: int, at_s: float, seen: dict[tuple[str, str], deque[float]]
    ) -> None:
        self.labels: set[str] = set()
        headers = _seen_headers(request.headers)
        self._request = structs.replace(request, headers=headers)
        self._oversize = {"body": len(request.body) > inspected, "headers": headers != dict(request.headers)}
        self._inspected = inspected
        self._at_s = at_s
        self._seen = seen

    def refusing_rule(self, rule: _Values) -> str:
        """The rule of a managed group that refuses the request; "" if none does."""
        (group,) = rule["statement"][0]["managed_rule_group_statement"]
        overridden = {each["name"]: each["action_to_use"][0] for each in group.get("rule_action_override", [])}
        if "count" in rule["override_action"][0]:
            return ""
        for name, found in GROUPS[group["name"]].items():
            if "count" not in overridden.get(name, {}) and found(self._request, self._inspected):
                return name
        return ""

    def matches(self, statement: _Values, rule: str) -> bool:
        """Whether a statement matches."""
        ((kind, (values,)),) = statement.items()
        match kind.removesuffix("_statement"):
            case "and" | "or":
                combined = all if kind == "and_statement" else any
                return combined(self.matches(each, rule) for each in values["statement"])
            case "not":
                return not self.matches(values["statement"][0], rule)
            case "label_match":
                return values["key"] in self.labels
            case "rate_based":
                return self._too_many(values, rule)
        return self._matches_text(kind, values)

    def _matches_text(self, kind: str, values: _Values) -> bool:
        match kind.removesuffix("_match_statement"):
            case "size_constraint_statement":
                return self._compares(values)
            case "regex":
                return self._finds(values, lambda text: re.search(values["regex_string"], text) is not None)
            case "byte":
                wanted = values["search_string"]
                return self._finds(values, lambda text: _POSITIONS[values["positional_constraint"]](text, wanted))
            case "sqli":
                return self._finds(values, looks_like_sql)
            case "xss":
                return self._finds(values, looks_like_script)
        raise ValueError(f"{kind} is not known")

    def _too_many(self, values: _Values, rule: str) -> bool:
        assert values["aggregate_key_type"] == "IP"
        assert "scope_down_statement" not in values
        times = self._seen.setdefault((rule, self._request.address), deque())
        times.append(self._at_s)
        while times[0] <= self._at_s - values["evaluation_window_sec"]:
            times.popleft()
        return len(times) > int(values["limit"])

    def _compares(self, values: _Values) -> bool:
        compare, bound = _COMPARISONS[values["comparison_operator"]], int(values["size"])
        for part in values["field_to_match"]:
            for kind, (which,) in part.items():
                if self._oversize.get(kind) and which["oversize_handling"] != "CONTINUE":
                    return bool(which["oversize_handling"] == "MATCH")
        return self._finds(values, lambda text: compare(len(text.encode(errors="surrogateescape")), bound))

    def _finds(self, values: _Values, found: Callable[[str], bool]) -> bool:
        texts = [text for part in values["field_to_match"] for text in self._part(part)]
        for step in sorted(values["text_transformation"], key=lambda each: int(each["priority"])):
            texts = [_TRANSFORMATIONS[step["type"]](text) for text in texts]
        return any(map(found, texts))

    def _part(self, part: _Values) -> Sequence[str]:
        """The texts of a part of the request; a missing header has none."""
        request = self._request
        ((kind, (which,)),) = part.items()
        match kind:
            case "uri_path":
                return [request.path]
            case "query_string":
                return [request.query]
            case "method":
                return [request.method]
            case "single_header":
                return [request.headers[which["name"]]] if which["name"] in request.headers else []
            case "headers":
                assert (which["match_pattern"], which["match_scope"]) == ([{"all": [{}]}], "ALL")
                return [*request.headers, *request.headers.values()]
            case "body":
                return [request.body[: self._inspected].decode(errors="surrogateescape")]
        raise ValueError(f"{kind} is not known")


def _seen_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that WAF sees; the last one is cut at its limit."""
    left, most = _INSPECTED_HEADERS
    seen = {}
    for name, value in islice(headers.items(), most):
        seen[name[:left]] = value[: max(0, left - len(name))]
        left = max(0, left - len(name) - len(value))
    return seen


def _given(values: Any) -> Any:
    """The values without those that are empty, except for blocks without arguments."""
    if isinstance(values, list):
        return [_given(each) for each in values]
    if isinstance(values, Mapping):
        return {key: _given(value) for key, value in values.items() if value not in (None, [])}
    return values
