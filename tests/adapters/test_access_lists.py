import base64
import hashlib
import subprocess
from pathlib import Path

import pytest

from shared.adapters.access_lists import (
    broker_list,
    broker_passwords,
    store_list,
    store_passwords,
)
from shared.wire.access import NAMES, Role

DEPLOY = Path(__file__).parents[2] / "deploy"
BOTH: tuple[Role, ...] = ("orders", "market")


def test_the_lists_in_deploy_are_those_of_the_table() -> None:
    remedy = "hedgestat access broker > deploy/acl; orders > redis-orders.acl; market likewise"
    assert (DEPLOY / "acl").read_text() == broker_list(), remedy
    assert (DEPLOY / "redis-orders.acl").read_text() == store_list("orders"), remedy
    assert (DEPLOY / "redis-market.acl").read_text() == store_list("market"), remedy


def test_every_identity_is_on_the_brokers_list_once() -> None:
    users = [line.split()[1] for line in broker_list().splitlines() if line.startswith("user ")]
    assert users == list(NAMES)


def test_what_an_identity_says_and_hears_is_one_line() -> None:
    lines = broker_list().splitlines()
    assert "topic readwrite hedge/v1/alerts/+" in lines
    assert not [line for line in lines if line.startswith("pattern") or line.endswith("#")][2:]


@pytest.mark.parametrize("roles", [("orders",), ("market",), BOTH], ids=str)
def test_no_user_of_a_store_has_eval_or_a_category_and_default_is_off(
    roles: tuple[Role, ...],
) -> None:
    first, *users = store_list(*roles).splitlines()
    assert first == "user default off"
    for line in users:
        assert "+eval " not in line
        assert "@" not in line
        assert "nopass" not in line
        assert "&" not in line


def test_a_server_in_both_roles_grants_what_the_two_do() -> None:
    def words(text: str) -> dict[str, set[str]]:
        return {line.split()[1]: set(line.split()[2:]) for line in text.splitlines()}

    both, orders, market = (words(store_list(*roles)) for roles in (BOTH, ("orders",), ("market",)))
    assert both.keys() == orders.keys() | market.keys()
    for name, granted in both.items():
        assert granted == orders.get(name, set()) | market.get(name, set())


def test_a_store_compares_with_a_digest_and_who_has_no_password_has_no_digest() -> None:
    given = store_passwords(store_list("orders"), {"hedger": "secret"})
    assert "secret" not in given
    lines = {line.split()[1]: line for line in given.splitlines()}
    assert f"user hedger on #{hashlib.sha256(b'secret').hexdigest()} ~" in lines["hedger"]
    assert "#" not in lines["reader"]
    assert lines["default"] == "user default off"


def test_the_brokers_digests_are_those_of_mosquitto_passwd(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", file, "hedger", "secret"], check=True)
    _, _, iterations, salt, _ = file.read_text().strip().split("$")
    ours = broker_passwords({"hedger": "secret"}, {"hedger": base64.b64decode(salt)})
    assert ours.split("$")[2] == iterations
    assert ours == file.read_text()
