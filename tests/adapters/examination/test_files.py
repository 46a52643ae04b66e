"""Secrets that others can read, and disks without room."""

from pathlib import Path

import pytest
from fakes.command import DEPLOY
from fakes.findings import faults

from shared.adapters.examination import files
from shared.adapters.examination.files import examine_files, examine_room, examine_secrets
from shared.adapters.logins import make_logins
from shared.adapters.operators import PasswordHash, write_operators
from shared.adapters.settings import Settings, load_settings


def settings(**environment: str) -> Settings:
    return load_settings(DEPLOY / "hedges.toml", environment)


def test_room_is_told_as_a_share_and_too_little_of_it_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "% of the disk of" in examine_room("record", tmp_path / "not there yet").seen
    monkeypatch.setattr(files, "free_ratio", lambda _: 0.099)
    finding = examine_room("record", tmp_path)
    assert faults([finding]) == [f"record: disk: 10% of the disk of {tmp_path} is free"]


def test_logins_that_are_kept_from_others_are_well_and_named(tmp_path: Path) -> None:
    make_logins(tmp_path)
    (finding,) = examine_secrets(settings(HEDGESTAT_LOGINS=str(tmp_path)))
    assert finding.is_well
    assert "hedger" in finding.seen
    (tmp_path / "hedger/redis").chmod(0o640)
    (finding,) = examine_secrets(settings(HEDGESTAT_LOGINS=str(tmp_path)))
    assert finding.seen == "mode 0640: others can read it"
    assert finding.remedy == f"chmod 600 {tmp_path}/hedger/redis"


def test_a_directory_without_a_login_is_a_fault(tmp_path: Path) -> None:
    (finding,) = examine_secrets(settings(HEDGESTAT_LOGINS=str(tmp_path / "none")))
    assert faults([finding]) == [f"logins in {tmp_path}/none: there are none"]


def test_who_may_log_in_is_counted_and_kept_from_others(tmp_path: Path) -> None:
    path = tmp_path / "operators"
    assert examine_secrets(settings(HEDGESTAT_OPERATORS_FILE=str(path))) == []
    write_operators(path, {"ann": PasswordHash.of("a password of length", cost=(16, 8, 1))})
    (finding,) = examine_secrets(settings(HEDGESTAT_OPERATORS_FILE=str(path)))
    assert finding.seen == "1 may log in"
    path.chmod(0o644)
    (finding,) = examine_secrets(settings(HEDGESTAT_OPERATORS_FILE=str(path)))
    assert finding.remedy == f"chmod 600 {path}"


def test_a_password_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    named = settings(HEDGESTAT_MQTT_PASSWORD_FILE=str(tmp_path / "none"))
    assert faults(examine_secrets(named)) == [
        f"password file {tmp_path}/none: No such file or directory"
    ]


@pytest.mark.parametrize(
    ("services", "subjects"),
    [
        (["gateway", "hedger"], ["gateway record", "gateway record: disk"]),
        (["hedger"], []),
        (["operator"], []),
    ],
)
def test_the_record_is_looked_at_where_the_gateway_runs(
    services: list[str], subjects: list[str]
) -> None:
    assert [each.subject for each in examine_files(settings(), services)] == subjects
