"""The scripts a person runs first, on machines that are not ours."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BASH = ["tests/run", ".ci/run", *(f"deploy/{name}" for name in ("demo", "lock", "study", "venv"))]
SCRIPTS = [
    *BASH,
    *(f"deploy/{name}" for name in ("passwords", "keys", "certificates")),
    *(f"deploy/kubernetes/{name}" for name in ("secrets", "lay-secrets")),
    *(f"deploy/systemd/{name}" for name in ("secrets", "lay-credentials")),
]
TOOLS = ["bash", "cat", "cmp", "dirname", "env", "head", "sh"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the scripts look at, in a folder whose name needs quoting."""
    root = tmp_path / "a 'checkout' of $HOME"
    shutil.copytree(ROOT / "deploy", root / "deploy")
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def run(command: list[str], tools: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run with nothing on the PATH but `TOOLS` and what `tools` holds already."""
    tools.mkdir(exist_ok=True)
    for name in TOOLS:
        program = shutil.which(name)
        assert program is not None
        (tools / name).symlink_to(program)
    environment = {"PATH": str(tools)}
    return subprocess.run(
        command, env=environment, cwd=cwd, capture_output=True, text=True, check=False
    )


def installed(checkout: Path, name: str) -> None:
    """Let `.venv` look as `deploy/venv` leaves it, with a command that prints its arguments."""
    command = checkout / ".venv/bin/hedgestat"
    command.parent.mkdir(parents=True)
    command.write_text('#!/bin/sh\nprintf "<%s>" "$@"\n')
    command.chmod(0o755)
    pins = (path.read_text() for path in sorted(checkout.glob("deploy/constraints*.txt")))
    # The shell's order of file names is that of the C locale here, for want of any other.
    depends_on = [f"{checkout}\n", *pins, (checkout / "pyproject.toml").read_text()]
    (checkout / f".venv/.installed-{name}").write_text("".join(depends_on))


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_may_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)


@pytest.mark.parametrize("script", BASH)
def test_bash_can_read_a_script(script: str) -> None:
    subprocess.run(["bash", "-n", ROOT / script], check=True)


def test_shellcheck_finds_nothing() -> None:
    checked = subprocess.run(["shellcheck", *SCRIPTS], cwd=ROOT, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout.decode()


def test_without_a_python_the_demo_says_what_to_install(checkout: Path, tmp_path: Path) -> None:
    demo = run([str(checkout / "deploy/demo")], tmp_path / "tools", tmp_path)
    assert demo.returncode == 1
    assert "Python 3.11, 3.12 or 3.13" in demo.stderr
    assert not (checkout / ".venv").exists()


def test_an_old_python_is_not_taken(checkout: Path, tmp_path: Path) -> None:
    python = tmp_path / "tools/python3"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\nexit 1\n")  # what its failed assertion comes to
    python.chmod(0o755)
    demo = run([str(checkout / "deploy/demo")], tmp_path / "tools", tmp_path)
    assert demo.returncode == 1
    assert "none was found" in demo.stderr


def test_once_installed_the_demo_runs_from_anywhere_at_once(checkout: Path, tmp_path: Path) -> None:
    installed(checkout, "constraints-demo")
    demo = [str(checkout / "deploy/demo"), "--from", "2018-01-02", "two words"]
    done = run(demo, tmp_path / "tools", tmp_path)
    assert done.stdout == "<demo><--from><2018-01-02><two words>"
    assert not done.stderr


def test_so_does_a_study(checkout: Path, tmp_path: Path) -> None:
    installed(checkout, "constraints-demo")
    study = [str(checkout / "deploy/study"), "claims", "--json", "two words"]
    done = run(study, tmp_path / "tools", tmp_path)
    assert done.stdout == "<study><claims><--json><two words>"
    assert not done.stderr


@pytest.mark.parametrize("changed", ["pyproject.toml", "deploy/constraints.txt"])
def test_changed_dependencies_are_installed(checkout: Path, tmp_path: Path, changed: str) -> None:
    installed(checkout, "constraints-demo")
    with (checkout / changed).open("a") as file:
        file.write("# changed\n")
    demo = run([str(checkout / "deploy/demo")], tmp_path / "tools", tmp_path)
    assert "none was found" in demo.stderr  # it went to install, and looked for a Python


def test_a_venv_that_was_moved_is_made_anew(checkout: Path, tmp_path: Path) -> None:
    installed(checkout, "constraints-demo")
    moved = checkout.rename(tmp_path / "elsewhere")
    demo = run([str(moved / "deploy/demo")], tmp_path / "tools", tmp_path)
    assert "none was found" in demo.stderr
