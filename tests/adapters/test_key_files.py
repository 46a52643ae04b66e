"""Keys are made once, renewed without a pause, and retired only when nobody needs them."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fakes.keys import ENVIRONMENT, write_keys

from shared.adapters.key_files import (
    KeyRefused,
    KeyShown,
    list_keys,
    new_keys,
    retire_key,
    rotate_key,
)
from shared.adapters.keyring import ROLES, Forged, KeyMissing, Keyring, Role
from shared.wire import topics
from shared.wire.messages import RebalanceMessage

REQUEST = RebalanceMessage(scope="all", reason="", operator="desk", issued_at=1)


def sealed(directory: Path) -> bytes:
    """A request, signed by who is the operator now."""
    return Keyring.load(directory, ENVIRONMENT).seal("operator", topics.REBALANCE, REQUEST)


def believed(directory: Path, payload: bytes) -> bool:
    keyring = Keyring.load(directory, ENVIRONMENT)
    try:
        keyring.open("operator", topics.REBALANCE, payload, RebalanceMessage)
    except Forged:
        return False
    return True


def of(directory: Path, role: Role) -> list[KeyShown]:
    return [key for key in list_keys(directory) if key.role == role]


def test_a_key_is_rotated_without_a_pause(tmp_path: Path) -> None:
    (old,) = new_keys(tmp_path, ["operator"]).values()
    before = sealed(tmp_path)
    new = rotate_key(tmp_path, "operator")
    assert new != old
    after = sealed(tmp_path)
    assert believed(tmp_path, before)
    assert believed(tmp_path, after)
    retire_key(tmp_path, "operator", old)
    assert not believed(tmp_path, before)
    assert believed(tmp_path, after)


def test_new_makes_all_or_nothing(tmp_path: Path) -> None:
    made = new_keys(tmp_path, ["gateway"])
    with pytest.raises(KeyRefused, match="of role gateway already"):
        new_keys(tmp_path)
    assert [(key.role, key.key_id) for key in list_keys(tmp_path)] == list(made.items())


def test_a_role_that_is_only_believed_here_is_known_too(tmp_path: Path) -> None:
    new_keys(tmp_path, ["monitor"])
    (tmp_path / "private/monitor.pem").unlink()
    with pytest.raises(KeyRefused, match="already"):
        new_keys(tmp_path, ["monitor"])
    assert of(tmp_path, "monitor")[0].is_trusted
    rotate_key(tmp_path, "monitor")
    assert [key.signs for key in of(tmp_path, "monitor")] == [True, False]


def test_there_is_nothing_to_rotate_before_the_first(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused, match="`hedgestat keys new monitor` makes the first"):
        rotate_key(tmp_path, "monitor")


def test_the_key_that_signs_is_never_retired(tmp_path: Path) -> None:
    old = new_keys(tmp_path)["auditor"]
    new = rotate_key(tmp_path, "auditor")
    with pytest.raises(KeyRefused, match=f"auditor signs with {new}: .*rotate auditor"):
        retire_key(tmp_path, "auditor", new)
    retire_key(tmp_path, "auditor", old)
    assert [key.key_id for key in of(tmp_path, "auditor")] == [new]


def test_the_only_key_that_is_trusted_is_never_retired(tmp_path: Path) -> None:
    name = new_keys(tmp_path)["operator"]
    (tmp_path / "private/operator.pem").unlink()
    with pytest.raises(KeyRefused, match="the only trusted key"):
        retire_key(tmp_path, "operator", name)


def test_a_key_of_another_role_is_not_retired(tmp_path: Path) -> None:
    made = new_keys(tmp_path)
    rotate_key(tmp_path, "monitor")
    with pytest.raises(KeyRefused, match="no trusted gateway key"):
        retire_key(tmp_path, "gateway", made["monitor"])
    with pytest.raises(KeyRefused, match="there is none"):
        retire_key(tmp_path / "empty", "gateway", made["gateway"])
    assert len(list_keys(tmp_path)) == len(ROLES) + 1


def test_every_copy_of_a_retired_key_goes(tmp_path: Path) -> None:
    old = new_keys(tmp_path)["operator"]
    rotate_key(tmp_path, "operator")
    folder = tmp_path / "trusted"
    (folder / "operator-copy.pem").write_bytes((folder / f"operator-{old}.pem").read_bytes())
    retire_key(tmp_path, "operator", old)
    assert old not in {key.key_id for key in list_keys(tmp_path)}


def test_listed_are_the_keys_by_role_and_the_one_that_signs_first(tmp_path: Path) -> None:
    made = new_keys(tmp_path)
    new = rotate_key(tmp_path, "gateway")
    assert [(key.role, key.key_id, key.signs, key.is_trusted) for key in list_keys(tmp_path)] == [
        ("monitor", made["monitor"], True, True),
        ("gateway", new, True, True),
        ("gateway", made["gateway"], False, True),
        ("operator", made["operator"], True, True),
        ("auditor", made["auditor"], True, True),
        ("desk", made["desk"], True, True),
    ]
    assert not any(key.fault for key in list_keys(tmp_path))
    assert list_keys(tmp_path / "nowhere") == []


def test_a_key_that_signs_and_is_not_believed_is_a_fault(tmp_path: Path) -> None:
    made = new_keys(tmp_path)
    rotate_key(tmp_path, "operator")
    (new, _) = of(tmp_path, "operator")
    (tmp_path / f"trusted/operator-{new.key_id}.pem").unlink()
    (signing, old) = of(tmp_path, "operator")
    assert (signing.key_id, signing.is_trusted) == (new.key_id, False)
    assert "it signs and is not in" in signing.fault
    assert (old.key_id, old.fault) == (made["operator"], "")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_private_key_that_others_can_reach_is_a_fault(tmp_path: Path, mode: int) -> None:
    path = write_keys(tmp_path) / "private/monitor.pem"
    path.chmod(mode)
    (fault, trusted) = of(tmp_path, "monitor")
    assert fault.fault == f"{path} can be read by others: chmod 600 {path}"
    assert fault.signs
    assert trusted.is_trusted


def test_whom_others_could_let_us_believe_is_a_fault(tmp_path: Path) -> None:
    name = new_keys(tmp_path)["monitor"]
    path = tmp_path / f"trusted/monitor-{name}.pem"
    path.chmod(0o664)
    (fault, signing) = of(tmp_path, "monitor")
    assert fault.fault == f"{path} can be written by others: chmod 644 {path}"
    assert signing.signs
    with pytest.raises(KeyMissing, match="can be written by others"):
        Keyring.load(tmp_path, ENVIRONMENT)


@pytest.mark.parametrize("part", ["private", "trusted"])
def test_a_folder_that_others_can_write_is_a_fault(tmp_path: Path, part: str) -> None:
    folder = write_keys(tmp_path) / part
    folder.chmod(0o770)
    faults = {key.fault for key in list_keys(tmp_path)} - {""}
    assert faults == {f"{folder} can be written by others: chmod 700 {folder}"}


def test_what_is_no_key_is_a_fault(tmp_path: Path) -> None:
    new_keys(tmp_path)
    other = generate_private_key(SECP256R1()).public_key()
    public = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "trusted/gateway-x.pem").write_bytes(public)
    (tmp_path / "trusted/operator-x.pem").write_bytes(b"nonsense")
    faults = {key.role: key.fault for key in list_keys(tmp_path) if key.fault}
    assert "is not an ed25519 key: remove it" in faults["gateway"]
    assert "operator-x.pem cannot be read: " in faults["operator"]
    assert set(faults) == {"gateway", "operator"}


def test_all_roles_have_a_key_of_their_own(tmp_path: Path) -> None:
    assert list(new_keys(tmp_path)) == list(ROLES)
    assert len({key.key_id for key in list_keys(tmp_path)}) == len(ROLES)
