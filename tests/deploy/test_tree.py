"""What a stranger finds at the top, and what must never be in a commit."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP = {
    *{".ci", ".github", ".gitignore", "README.md", "docker-compose.yml", "pyproject.toml"},
    *{"deploy", "services", "shared", "tests"},
}
FOREIGN = {
    "a path of somebody's machine": r"(?<![\w.$}])/(?:home|root|Users|work|workspace)/\w",
    "the host of a package registry": r"pypi\.org|pythonhosted\.|npmjs\.|/simpl[e]/|debian\.org",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "a token": r"\bgh[pousr]_\w{36}|\bAKIA[0-9A-Z]{16}\b|\bxox[bp]-\w{10}|\beyJ\w{20,}\.eyJ",
}


def committed() -> list[Path]:
    """Every file that git keeps, or is about to."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout
    paths = (ROOT / name for name in names.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def test_the_top_holds_these_and_nothing_else() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in committed()} == TOP


@pytest.mark.parametrize("folder", [".", "deploy", "services", "shared", "tests"])
def test_a_folder_at_the_top_says_what_it_is_for(folder: str) -> None:
    assert (ROOT / folder / "README.md").read_text().startswith("# ")


@pytest.mark.parametrize("what", FOREIGN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FOREIGN[what])
    texts = {path: path.read_bytes().decode(errors="ignore") for path in committed()}
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path, text in texts.items()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []


def test_no_link_between_readmes_is_broken() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in committed()
        if path.suffix == ".md"
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text())
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []


def test_a_python_file_in_shared_or_services_stands_in_a_package() -> None:
    packages = {path.parent for path in committed() if path.name == "__init__.py"}
    modules = (path for path in committed() if path.suffix == ".py")
    ours = (path for path in modules if path.relative_to(ROOT).parts[0] in {"services", "shared"})
    assert [path for path in ours if path.parent not in packages] == []
