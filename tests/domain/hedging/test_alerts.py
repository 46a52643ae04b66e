import pytest

from shared.domain.hedging.alerts import ALERTS, alert, runbook_of


def test_an_alert_says_what_to_do() -> None:
    raised = alert("overlay", 7, "mark_unknown", "swap: mark", {"vega": 400.0})
    assert raised.severity == "critical"
    assert "hedge by hand" in raised.runbook
    assert (raised.book, raised.event_ns, raised.where) == ("overlay", 7, "swap: mark")


def test_an_alert_may_have_no_figures() -> None:
    assert alert("overlay", 7, "signal_recovered", "vix_smooth").figures == {}


def test_only_named_alerts_exist() -> None:
    with pytest.raises(KeyError):
        alert("overlay", 7, "something_odd", "swap")


def test_every_alert_has_a_runbook_and_those_of_one_cause_share_it() -> None:
    assert all(runbook_of(what) for what in ALERTS)
    assert runbook_of("off_target") == runbook_of("on_target") == "hedge-off-target"
