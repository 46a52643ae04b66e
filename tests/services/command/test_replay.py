"""`hedgestat replay`: what it refuses before anything is sent, and what it leaves when stopped."""

import signal
import subprocess
from pathlib import Path

import pytest
from fakes.command import DEPLOY, HEDGESTAT, environment, hedgestat
from fakes.eventually import eventually_sync
from fakes.servers import MosquittoServer

DEMO = str(DEPLOY / "demo.toml")
VIX = "date,close\n2018-01-02,9.77\n2018-01-03,9.15\n2018-01-04,9.22\n"


@pytest.fixture
def history(tmp_path: Path) -> Path:
    directory = tmp_path / "history"
    directory.mkdir()
    (directory / "VIX.csv").write_text(VIX)
    return directory


def refusal(directory: Path, *arguments: str, configuration: str = DEMO) -> str:
    """What is said, when it is refused as a user's mistake."""
    refused = hedgestat("replay", *arguments, "-c", configuration, directory=directory)
    assert refused.returncode == 2, refused.stderr
    assert "Traceback" not in refused.stderr
    return refused.stderr


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "missing.csv: No such file or directory" in refusal(tmp_path, "missing.csv")


def test_a_folder_without_history(tmp_path: Path) -> None:
    assert "no .csv or .parquet file in this folder" in refusal(tmp_path, ".")


def test_a_file_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "VIX.csv").write_text("name,colour\na,b\nc,d\n")
    said = refusal(tmp_path, "VIX.csv")
    assert "VIX.csv:1: the header name,colour is not known; understood are date,close" in said


def test_a_configuration_of_the_wall_clock(history: Path) -> None:
    said = refusal(history, str(history), configuration=str(DEPLOY / "hedges.toml"))
    assert 'set source = "feed" under [clock]' in said


def test_days_that_the_history_has_not(history: Path) -> None:
    assert "no session of this history" in refusal(history, str(history), "--from", "2019-01-02")


def test_days_the_wrong_way_round(history: Path) -> None:
    said = refusal(history, str(history), "--from", "2018-01-04", "--to", "2018-01-02")
    assert "--from 2018-01-04 is after --to 2018-01-02" in said


@pytest.mark.server
def test_a_stopped_replay_says_how_to_go_on(
    tmp_path: Path, history: Path, mosquitto_server: MosquittoServer
) -> None:
    out = tmp_path / "out"
    with out.open("w") as file:
        process = subprocess.Popen(
            [HEDGESTAT, "replay", str(history), "-c", DEMO, "--source", "mine"],
            env=environment(HEDGESTAT_MQTT_URL=mosquitto_server.url),
            stdout=file,
            stderr=file,
        )
    try:
        eventually_sync(lambda: "hedgestat-feed" in mosquitto_server.log, within_s=30)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
    finally:
        process.kill()
        process.wait()
    assert "Stopped" in out.read_text()
    assert "the same command with --source mine" in out.read_text()
    assert "Traceback" not in out.read_text()
