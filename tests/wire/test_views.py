"""What the page, the API and the terminal show survives being written and read."""

import msgspec
import pytest
from fakes import views
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from shared.wire.views import ActionRequest, BookView, StateView


@pytest.mark.parametrize("view", [views.state(), views.book()], ids=["state", "book"])
def test_a_picture_that_is_written_and_read_is_the_same(view: Struct) -> None:
    kind = StateView if isinstance(view, StateView) else BookView
    assert msgspec.json.decode(msgspec.json.encode(view), type=kind) == view


@given(scope=st.text(max_size=70))
@settings(max_examples=50)
def test_an_action_names_a_scope_that_may_stand_in_a_topic(scope: str) -> None:
    said = msgspec.json.encode({"scope": scope, "reason": "a drill", "confirmation": scope})
    plain = scope.isascii() and all(each.isalnum() or each in "._-" for each in scope)
    if plain and 1 <= len(scope) <= 64:
        assert msgspec.json.decode(said, type=ActionRequest).scope == scope
    else:
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(said, type=ActionRequest)


def test_what_an_action_does_not_know_is_refused() -> None:
    said = b'{"scope": "all", "reason": "a drill", "confirmation": "all", "state": "active"}'
    with pytest.raises(msgspec.ValidationError, match="state"):
        msgspec.json.decode(said, type=ActionRequest)
