"""Those who watch: the page, Prometheus and Alertmanager, asked as a browser would."""

import asyncio
from collections.abc import AsyncIterator, Collection
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import msgspec

from shared.adapters.connections import redacted
from shared.adapters.examination.findings import Finding, well, wrong

PATIENCE_S: Final = 5.0
JOB: Final = "hedgestat"
_MOST_NAMED: Final = 3
_STRANGE: Final = (msgspec.DecodeError, LookupError, TypeError, AttributeError)
"""What comes of an answer that is somebody else's."""
Json = Any


class Unreachable(Exception):  # noqa: N818 - reads as what happened
    """Nobody answers there, or not as it should; the text says what."""


async def examine_page(url: str) -> AsyncIterator[Finding]:
    """Does the page answer, and is what it shows fresh?"""
    subject = f"page {redacted(url)}"
    try:
        await _get(url, "/")
        checks = msgspec.json.decode(await _get(url, "/readyz", allowed=503))["checks"]
        failing = {name: each["reason"] for name, each in checks.items() if not each["ready"]}
    except (Unreachable, *_STRANGE) as error:
        yield wrong(subject, str(error), "start it: `hedgestat run dashboard`; correct --page")
        return
    yield well(subject, "it answers")
    if failing:
        seen = ", ".join(f"{name}: {reason}" for name, reason in failing.items())
        yield wrong(f"{subject}: fresh", seen, "see to these; until then it shows what was")
    else:
        yield well(f"{subject}: fresh", f"all {len(checks)} checks pass")


async def examine_prometheus(url: str, services: Collection[str]) -> AsyncIterator[Finding]:
    """Does Prometheus ask every service, has it the rules, and somebody to tell?"""
    subject = f"Prometheus {redacted(url)}"
    try:
        targets = (await _api(url, "targets?state=active"))["activeTargets"]
        groups = (await _api(url, "rules"))["groups"]
        told = (await _api(url, "alertmanagers"))["activeAlertmanagers"]
    except (Unreachable, *_STRANGE) as error:
        yield wrong(
            subject, str(error), "start it with deploy/prometheus.yml; correct --prometheus"
        )
        return
    yield _targets(f"{subject}: targets", targets, services)
    yield _rules(f"{subject}: rules", groups)
    if told:
        yield well(f"{subject}: Alertmanager", f"alerts go to {told[0]['url']}")
    else:
        remedy = "name it under `alerting` in prometheus.yml; until then nobody is told"
        yield wrong(f"{subject}: Alertmanager", "there is none", remedy)


def _targets(subject: str, targets: list[Json], services: Collection[str]) -> Finding:
    ours = [each for each in targets if each["labels"].get("job") == JOB]
    missing = sorted(set(services) - {each["labels"].get("service") for each in ours})
    if missing:
        remedy = "add them to the job hedgestat in prometheus.yml, with the label service"
        return wrong(subject, f"it does not ask {', '.join(missing)}", remedy)
    down = {each["labels"]["service"]: each["lastError"] for each in ours if each["health"] != "up"}
    if down:
        seen = ", ".join(f"{name} ({error or 'not asked yet'})" for name, error in down.items())
        return wrong(subject, f"down: {seen}", "start them, or correct their addresses")
    return well(subject, f"all {len(ours)} are up")


def _rules(subject: str, groups: list[Json]) -> Finding:
    rules = [rule for group in groups for rule in group["rules"]]
    if not rules:
        return wrong(
            subject, "none are loaded", "let rule_files name deploy/prometheus/rules/*.yml"
        )
    faulty = [rule["name"] for rule in rules if rule["health"] == "err"]
    if faulty:
        return wrong(subject, f"fail: {_named(faulty)}", "promtool check rules; see its log")
    firing = [rule["name"] for rule in rules if rule.get("state") == "firing"]
    seen = f"{len(rules)} are loaded" + (f"; firing: {_named(firing)}" if firing else "")
    return well(subject, seen)


def _named(names: list[str]) -> str:
    rest = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


async def examine_alertmanager(url: str) -> AsyncIterator[Finding]:
    """Does Alertmanager answer, and does it know anybody to tell?"""
    subject = f"Alertmanager {redacted(url)}"
    try:
        status = msgspec.json.decode(await _get(url, "/api/v2/status"))
        receivers = msgspec.json.decode(await _get(url, "/api/v2/receivers"))
        version = status["versionInfo"]["version"]
    except (Unreachable, *_STRANGE) as error:
        yield wrong(subject, str(error), "start it with deploy/alertmanager.yml")
        return
    yield well(subject, f"{version}; tells {_named([each['name'] for each in receivers])}")


async def _api(url: str, question: str) -> Json:
    return msgspec.json.decode(await _get(url, f"/api/v1/{question}"))["data"]


async def _get(url: str, path: str, *, allowed: int = 200) -> bytes:
    """Ask over HTTP.

    Args:
        url: Scheme, host and port.
        path: Below it.
        allowed: A status that is an answer too.

    Raises:
        Unreachable: There is no answer.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise Unreachable("not http://host:port or https://host:port")
    return await asyncio.to_thread(_ask, url.rstrip("/") + path, allowed)


def _ask(url: str, allowed: int) -> bytes:
    try:
        with urlopen(url, timeout=PATIENCE_S) as answer:  # noqa: S310 - the scheme was looked at
            return bytes(answer.read())
    except HTTPError as refused:
        with refused:
            if refused.code == allowed:
                return refused.read()
        raise Unreachable(f"it answers {refused.code} {refused.reason}") from None
    except (OSError, ValueError, HTTPException) as error:
        raise Unreachable(redacted(str(getattr(error, "reason", error)))) from error
