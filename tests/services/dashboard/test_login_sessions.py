from fakes.clock import ManualClock
from fakes.pages import CHEAP

from services.dashboard.login_sessions import IDLE_S, LONGEST_S, MOST_EACH, Sessions


def test_a_session_is_found_by_its_secret_alone() -> None:
    sessions = Sessions(ManualClock())
    secret, session = sessions.begin("ann", CHEAP)
    assert sessions.find(secret) is session
    for other in ("", secret[:-1], secret + "x", secret.swapcase(), session.csrf_token, "\udcff"):
        assert sessions.find(other) is None


def test_every_secret_and_token_is_new() -> None:
    sessions = Sessions(ManualClock())
    begun = [sessions.begin(f"name{number}", CHEAP) for number in range(100)]
    secrets = {secret for secret, _ in begun} | {session.csrf_token for _, session in begun}
    assert len(secrets) == 200
    assert {len(each) for each in secrets} == {43}


def test_what_is_kept_opens_no_session() -> None:
    sessions = Sessions(ManualClock())
    secret, _ = sessions.begin("ann", CHEAP)
    assert secret not in str(vars(sessions))


def test_it_is_over_when_it_is_idle_or_old_and_looking_is_no_use() -> None:
    clock = ManualClock()
    sessions = Sessions(clock)
    secret, session = sessions.begin("ann", CHEAP)
    clock.advance(IDLE_S - 1)
    assert sessions.find(secret) is session
    sessions.use(session)
    clock.advance(IDLE_S - 1)
    assert sessions.find(secret) is session
    clock.advance(1)
    assert sessions.find(secret) is None

    secret, session = sessions.begin("ann", CHEAP)
    for _ in range(round(LONGEST_S / 1_000)):
        clock.advance(1_000)
        sessions.use(session)
    assert sessions.find(secret) is session
    clock.advance(200)
    assert sessions.find(secret) is None


def test_of_many_sessions_of_one_operator_the_oldest_ends_and_none_of_anothers() -> None:
    sessions = Sessions(ManualClock())
    bobs, _ = sessions.begin("bob", CHEAP)
    anns = [sessions.begin("ann", CHEAP)[0] for _ in range(MOST_EACH + 2)]
    assert [sessions.find(each) is None for each in anns] == [True] * 2 + [False] * MOST_EACH
    assert sessions.find(bobs) is not None
    assert len(sessions) == MOST_EACH + 1


def test_what_is_over_is_forgotten() -> None:
    clock = ManualClock()
    sessions = Sessions(clock)
    for _ in range(3):
        sessions.begin("ann", CHEAP)
        clock.advance(IDLE_S)
    assert len(sessions) == 0
    secret, _ = sessions.begin("ann", CHEAP)
    sessions.end(secret)
    sessions.end(secret)
    assert len(sessions) == 0
