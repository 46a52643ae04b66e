"""Who may log in is kept in a file of its owner alone, and no password is."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.operators import (
    COST,
    SHORTEST_PASSWORD,
    OperatorRefused,
    OperatorsUnusable,
    PasswordHash,
    add_operator,
    read_operators,
    remove_operator,
    write_operators,
)

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
CHEAP = (16, 8, 1)
SOUND = PasswordHash.of(PASSWORD, CHEAP)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "operators"


def test_whoever_is_added_is_known_by_their_password_alone(path: Path) -> None:
    add_operator(path, "ann", PASSWORD)
    kept = read_operators(path)["ann"]
    assert kept.cost == COST
    assert kept.is_of(PASSWORD)
    assert not kept.is_of(PASSWORD + " ")
    assert PASSWORD not in path.read_text()


def test_one_password_of_two_operators_hashes_to_two_things(path: Path) -> None:
    add_operator(path, "ann", PASSWORD)
    add_operator(path, "bob", PASSWORD)
    ann, bob = read_operators(path).values()
    assert ann.salt != bob.salt
    assert ann.digest != bob.digest


def test_a_password_is_the_same_however_a_keyboard_writes_it() -> None:
    assert PasswordHash.of("caf\u00e9 au lait", CHEAP).is_of("cafe\u0301 au lait")


@settings(max_examples=25)
@given(st.text(max_size=40), st.text(max_size=40))
def test_only_equal_texts_match(one: str, other: str) -> None:
    kept = PasswordHash.of(one.encode("utf-8", "replace").decode(), CHEAP)
    assert kept.is_of(one.encode("utf-8", "replace").decode())
    if one.isascii() and other.isascii():
        assert kept.is_of(other) == (one == other)


def test_nobodys_password_is_no_password() -> None:
    kept = PasswordHash.of_nobody()
    assert kept.cost == COST
    assert not kept.is_of("")


def test_the_file_is_for_its_owner_whatever_the_umask_is(path: Path) -> None:
    before = os.umask(0)
    try:
        write_operators(path, {"ann": SOUND})
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["operators"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644, 0o777])
def test_a_file_that_others_can_reach_is_refused(path: Path, mode: int) -> None:
    write_operators(path, {"ann": SOUND})
    path.chmod(mode)
    with pytest.raises(OperatorsUnusable, match=f"chmod 600 {path}"):
        read_operators(path)
    with pytest.raises(OperatorsUnusable):
        add_operator(path, "bob", PASSWORD)
    with pytest.raises(OperatorsUnusable):
        remove_operator(path, "ann")


def test_a_file_that_is_not_there_says_how_to_make_it(path: Path) -> None:
    with pytest.raises(OperatorsUnusable, match="`hedgestat operators add NAME`"):
        read_operators(path)


@pytest.mark.parametrize(
    "line",
    [
        "ann",
        "ann:secret",
        "ann plain 16 8 1 eA== eA==",
        "ann scrypt 16 8 1 eA== eA==",
        "a/b scrypt 16 8 1 eA== " + "QQ" * 21 + "Q=",
        "ann scrypt 15 8 1 eA== {}",
        "ann scrypt 1 8 1 eA== {}",
        "ann scrypt 0 8 1 eA== {}",
        "ann scrypt 16 0 1 eA== {}",
        "ann scrypt 16 8 0 eA== {}",
        "ann scrypt 16 8 17 eA== {}",
        "ann scrypt 1073741824 8 1 eA== {}",
        "ann scrypt 16 999999 1 eA== {}",
        "ann scrypt sixteen 8 1 eA== {}",
        "ann scrypt 16 8 1 e! {}",
        "ann scrypt 16 8 1 eA== {} more",
        "",
        "# ann",
    ],
)
def test_a_line_that_is_none_is_named(path: Path, line: str) -> None:
    write_operators(path, {"ann": SOUND})
    digest = path.read_text().split()[-1]
    path.write_text(path.read_text() + line.format(digest) + "\n")
    with pytest.raises(OperatorsUnusable, match=rf"{path}:2 is no operator"):
        read_operators(path)


def test_what_is_no_text_is_refused(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)
    with pytest.raises(OperatorsUnusable, match="cannot be read: not text"):
        read_operators(path)
    path.unlink()
    path.mkdir(mode=0o700)
    with pytest.raises(OperatorsUnusable, match="cannot be read"):
        read_operators(path)


@pytest.mark.parametrize(
    ("name", "password", "why"),
    [
        ("a b", PASSWORD, "is no name"),
        ("", PASSWORD, "is no name"),
        ("a\nb", PASSWORD, "is no name"),
        ("x" * 65, PASSWORD, "is no name"),
        ("ann", PASSWORD, "already"),
        ("bob", "x" * (SHORTEST_PASSWORD - 1), "12 to 256 characters"),
        ("bob", "x" * 257, "12 to 256 characters"),
        ("bob", "i am BOB the builder", "its operator's name"),
    ],
)
def test_who_cannot_be_added_changes_nothing(
    path: Path, name: str, password: str, why: str
) -> None:
    write_operators(path, {"ann": SOUND})
    before = path.read_bytes()
    with pytest.raises(OperatorRefused, match=why) as refused:
        add_operator(path, name, password)
    assert password not in str(refused.value)
    assert path.read_bytes() == before


def test_whoever_is_removed_is_gone(path: Path) -> None:
    write_operators(path, {"ann": SOUND, "bob": SOUND})
    remove_operator(path, "ann")
    assert list(read_operators(path)) == ["bob"]
    with pytest.raises(OperatorRefused, match="no operator 'ann'; there are bob"):
        remove_operator(path, "ann")
    remove_operator(path, "bob")
    with pytest.raises(OperatorRefused, match="there are none"):
        remove_operator(path, "bob")
