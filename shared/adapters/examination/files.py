"""Keys, logins and certificates kept from others; room to write where something is written."""

import os
import stat
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from shared.adapters.disk import free_ratio
from shared.adapters.examination.findings import Finding, well, wrong
from shared.adapters.key_files import KeyShown, list_keys
from shared.adapters.keyring import KeysNeeded
from shared.adapters.operators import OperatorsUnusable, read_operators
from shared.adapters.settings import Settings

LEAST_FREE: Final = 0.1
"""Of a disk: below it somebody is to make room before an order cannot be recorded."""
_KEEPS_THE_RECORD: Final = "gateway"
_ARCHIVE: Final = {"ingest", "signals", "hedger"}
"""Those that move old stream entries there."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def examine_keys(settings: Settings, needed: KeysNeeded) -> list[Finding]:
    """Can what runs here sign, whom does it believe, and are its keys kept from others?"""
    directory = Path(settings.keys.directory)
    keys = list_keys(directory)
    if not keys:
        return [wrong("keys", f"none in {directory}", "`hedgestat keys new`, or copy them there")]
    findings = [_key(key) for key in keys]
    signing = {key.role for key in keys if key.signs}
    trusted = {key.role for key in keys if key.is_trusted}
    for role in (role for role in needed.signs if role not in signing):
        remedy = f"`hedgestat keys new {role}`, or copy private/{role}.pem there"
        findings.append(wrong(f"key of {role}", f"no private key in {directory}", remedy))
    for role in (role for role in needed.believes if role not in trusted):
        remedy = "copy trusted/ from where that key was made"
        findings.append(wrong(f"key of {role}", f"no trusted key in {directory}", remedy))
    return findings


def _key(key: KeyShown) -> Finding:
    subject = f"key of {key.role} {key.key_id}".rstrip()
    if key.fault:
        seen, _, remedy = key.fault.rpartition(": ")
        return wrong(subject, seen, remedy)
    uses = [word for word, is_so in (("signs", key.signs), ("is trusted", key.is_trusted)) if is_so]
    return well(subject, " and ".join(uses))


def examine_files(settings: Settings, services: Collection[str]) -> list[Finding]:
    """May the services of this machine write where they must; are secrets kept from others?

    Args:
        settings: Where that is.
        services: Those of this machine.
    """
    findings: list[Finding] = []
    if _KEEPS_THE_RECORD in services:
        record = Path(settings.gateway.record).absolute().parent
        findings += [_writable("gateway record", record), examine_room("gateway record", record)]
    if settings.retention.archive is not None and _ARCHIVE & set(services):
        archive = Path(settings.retention.archive).absolute()
        findings += [_writable("archive", archive), examine_room("archive", archive), _parquet()]
    return [*findings, *examine_secrets(settings)]


def examine_room(subject: str, directory: Path) -> Finding:
    """Is there room on the disk that a directory is on, or would be?"""
    free, subject = free_ratio(directory), f"{subject}: disk"
    seen = f"{free:.0%} of the disk of {directory} is free"
    if free >= LEAST_FREE:
        return well(subject, seen)
    return wrong(subject, seen, "make room, or move it to a larger disk: a full one stops trading")


def _parquet() -> Finding:
    subject = "archive: Parquet"
    if find_spec("pyarrow") is not None:
        return well(subject, "pyarrow is installed")
    remedy = 'pip install "hedgestat[archive]", or set archive = "off"'
    return wrong(subject, "pyarrow is not installed", remedy)


def _writable(subject: str, directory: Path) -> Finding:
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    if os.access(existing, os.W_OK | os.X_OK):
        return well(subject, f"{directory} can be written")
    remedy = f"let this user write there: chown, or another path; we are user {os.getuid()}"
    return wrong(subject, f"{existing} cannot be written", remedy)


def examine_secrets(settings: Settings) -> list[Finding]:
    """Are passwords, and the list of who may log in, kept from others?"""
    connections = (settings.mqtt, settings.redis.orders, settings.redis.market)
    named = {Path(each.password_file) for each in connections if each.password_file}
    directories = {Path(each.logins) for each in connections if each.logins}
    logins = {path for each in directories for path in each.glob("*/*") if path.is_file()}
    findings = [_private(path) for path in sorted(named)]
    findings += [_logins(directory, logins) for directory in sorted(directories)]
    return [*findings, *_operators(Path(settings.http.operators_file))]


def _logins(directory: Path, files: set[Path]) -> Finding:
    subject = f"logins in {directory}"
    if not files:
        return wrong(subject, "there are none", "`hedgestat logins make`, or copy ours there")
    faulty = [each for each in map(_private, sorted(files)) if not each.is_well]
    if faulty:
        return Finding(subject, is_well=False, seen=faulty[0].seen, remedy=faulty[0].remedy)
    owners = sorted({path.parent.name for path in files})
    return well(subject, f"{', '.join(owners)}: kept from others")


def _operators(path: Path) -> list[Finding]:
    """Nothing where there is no such file: the page only shows then."""
    subject = f"operators of the page {path}"
    if not path.exists():
        return []
    try:
        names = read_operators(path)
    except OperatorsUnusable as unusable:
        seen, _, remedy = str(unusable).rpartition(": ")
        return [wrong(subject, seen, remedy)]
    return [well(subject, f"{len(names)} may log in")]


def _private(path: Path) -> Finding:
    subject = f"password file {path}"
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return wrong(subject, error.strerror or "?", "name another")
    if mode & _OTHERS:
        seen = f"mode {stat.S_IMODE(mode):04o}: others can read it"
        return wrong(subject, seen, f"chmod 600 {path}")
    return well(subject, "kept from others")
