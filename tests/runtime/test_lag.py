import pytest
from fakes.store import FakeStore, Fault

from shared.adapters.store import StoreUnavailable
from shared.runtime import lag
from shared.runtime.lag import lags


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lag, "EVERY_S", 0.001)


async def test_the_lag_is_what_lies_beyond_the_cursors_of_all_inputs() -> None:
    store, cursors = FakeStore(), {"a": 1, "b": 0}
    for stream in ("a", "a", "a", "b"):
        store.append(stream, b"")
    behind = lags(store, lambda: cursors)
    assert await anext(behind) == 3
    cursors["a"] = 3
    assert await anext(behind) == 1


async def test_while_the_store_is_away_nothing_is_said() -> None:
    trouble = Fault(StoreUnavailable("away"), applied=False)
    store = FakeStore([trouble, trouble])
    store.append("a", b"")
    assert await anext(lags(store, lambda: {"a": 0})) == 1
    assert next(store.faults, None) is None
