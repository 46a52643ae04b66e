from hypothesis import given
from hypothesis import strategies as st

from services.dashboard.ring import BUCKET_S, Ring

values = st.floats(-1e6, 1e6)
steps = st.lists(st.tuples(st.floats(0.01, 100.0), values), min_size=1, max_size=300)


def filled(series: list[tuple[float, float]], capacity: int = 1_000) -> tuple[Ring, list[float]]:
    """A ring that took values one after the other, and their instants."""
    ring, at, instants = Ring(capacity), 1000.0, []
    for step, value in series:
        at += step
        ring.add(at, value)
        instants.append(at)
    return ring, instants


@given(steps, st.integers(4, 50))
def test_thinning_keeps_the_extremes_and_the_last_value(
    series: list[tuple[float, float]], most: int
) -> None:
    ring, instants = filled(series)
    points = ring.points(0.0, most)
    found = [value for _, value in points]
    assert min(found) == min(value for _, value in series)
    assert max(found) == max(value for _, value in series)
    assert points[-1] == (instants[-1], series[-1][1])


@given(steps, st.integers(2, 50))
def test_no_more_points_than_asked_and_all_of_them_true(
    series: list[tuple[float, float]], most: int
) -> None:
    ring, instants = filled(series)
    points = ring.points(0.0, most)
    assert len(points) <= max(most, 3)
    assert points == sorted(points, key=lambda point: point[0])
    happened = set(zip(instants, (value for _, value in series), strict=True))
    assert set(points) <= happened


@given(steps, st.integers(1, 20))
def test_memory_is_bounded_and_the_newest_stay(
    series: list[tuple[float, float]], capacity: int
) -> None:
    ring, instants = filled(series, capacity)
    assert len(ring) <= capacity + 2
    kept = ring.points(0.0, 10_000)
    assert kept[-1][0] == instants[-1]
    newest = sorted({at // BUCKET_S for at in instants})[-capacity - 2 :]
    assert set(newest) <= {at // BUCKET_S for at, _ in kept} or is_flat(series)


def is_flat(series: list[tuple[float, float]]) -> bool:
    """Whether the same value came twice: buckets of one value are one."""
    values = [value for _, value in series]
    return len(set(values)) < len(values)


def test_what_stands_still_takes_no_room_and_ends_when_it_did() -> None:
    ring = Ring(10)
    for minute in range(1_000):
        ring.add(60.0 * minute, 5.0)
    ring.add(60_000.0, 6.0)
    assert len(ring) == 2
    assert ring.points(0.0, 100) == [(0.0, 5.0), (59_940.0, 5.0), (60_000.0, 6.0)]


@given(steps, st.integers(1, 300))
def test_what_has_settled_restores_an_equal_ring(
    series: list[tuple[float, float]], cut: int
) -> None:
    ring, _ = filled(series)
    restored = Ring(1_000)
    for row in [*ring.since(0)[:cut], *ring.since(0)]:  # some of it was written twice
        restored.restore(row)
    at = 1000.0
    for step, value in series:  # the log holds it all, or its end
        at += step
        restored.add(at, value)
    assert restored.points(0.0, 10_000) == ring.points(0.0, 10_000)


def test_only_news_has_settled() -> None:
    ring = Ring(3)
    for minute in range(6):
        ring.add(60.0 * minute, float(minute))
    assert ring.settled == 4
    assert [row[1] for row in ring.since(2)] == [2.0, 3.0]
    assert [row[1] for row in ring.since(0)] == [1.0, 2.0, 3.0]
    assert ring.since(4) == []


def test_a_spike_within_a_bucket_stays_visible_among_a_day_of_others() -> None:
    ring = Ring(11_520)
    for second in range(86_400):
        ring.add(float(second), 99.0 if second == 40_000 else 15.0)
    assert (40_000.0, 99.0) in ring.points(0.0, 100)


def test_only_what_is_asked_for_is_shown() -> None:
    ring = Ring(100)
    for minute in range(10):
        ring.add(60.0 * minute, float(minute))
    assert [value for _, value in ring.points(300.0, 100)] == [5.0, 6.0, 7.0, 8.0, 9.0]
    assert ring.points(1e9, 100) == []
    assert Ring(5).points(0.0, 100) == []


def test_time_runs_forwards() -> None:
    ring = Ring(10)
    ring.add(100.0, 1.0)
    ring.add(20.0, 5.0)
    assert ring.points(0.0, 10) == [(100.0, 1.0)]
