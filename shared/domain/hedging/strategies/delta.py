"""Hold the net delta to one underlying inside a band around its target (spec 4.2 and 4.3)."""

from collections.abc import Mapping, Sequence

from msgspec import structs

from shared.domain.effects import BandChoice, StrategyTold
from shared.domain.hedging.bands.band import Situation, band_of, check_band, edge_trade, is_timed
from shared.domain.hedging.bands.counterfactuals import Exposure, begin, follow, next_due
from shared.domain.hedging.bands.formulas import BandRefused
from shared.domain.hedging.strategies.outlook import (
    Measurement,
    Outlook,
    Proposal,
    StrategyBlind,
    net_delta,
    unit_delta,
    whole_lots,
)
from shared.domain.hedging.strategies.scalping import measured, scalping_figures
from shared.domain.hedging.strategies.state import StrategyState
from shared.domain.policies import LegPolicy
from shared.domain.strategy_policies import DeltaPolicy


class DeltaStrategy:
    """Delta hedging, with gamma scalping where it is asked for.

    Args:
        policy: Its numbers.
        legs: The book's own legs on its underlying.
        state: Where to go on from.

    Raises:
        ValueError: The policy contradicts itself.
    """

    def __init__(
        self, policy: DeltaPolicy, legs: Sequence[LegPolicy], state: StrategyState
    ) -> None:
        check_band(policy.band)
        self._policy = policy
        self._legs = legs
        self._leg = next(leg for leg in legs if leg.name == policy.leg)
        self.state = state

    @property
    def name(self) -> str:
        """Unique in its book."""
        return self._policy.name

    @property
    def stale_trading_ns(self) -> int:
        """No older measurement is acted on."""
        return self._policy.stale_trading_ns

    def measure(self, outlook: Outlook) -> None:
        """Let every kind of band take the measurement, and gamma its profit; blind: nothing."""
        try:
            measurement = self._measurement(outlook)
            exposure = self._exposure(measurement, outlook)
            if self._policy.scalps:
                self._scalp(measurement, outlook, exposure.situation)
        except StrategyBlind:
            return
        band = self._policy.band
        hedge = self._hedge(measurement, outlook)
        accounts = self.state.accounts or begin(band, hedge)
        self.state = structs.replace(self.state, accounts=follow(accounts, band, exposure))
        self._look_at_schedule(exposure.trading_ns)

    def propose(self, outlook: Outlook) -> Proposal:
        """Return the trade to the nearest edge of the band.

        Raises:
            StrategyBlind: It cannot see, or the band has no answer.
        """
        policy = self._policy
        measurement = self._measurement(outlook)
        exposure = self._exposure(measurement, outlook)
        unit = unit_delta(measurement, self._leg, policy.underlying)
        net = exposure.unhedged + self._hedge(measurement, outlook)
        try:
            band = band_of(policy.band.kind, policy.band, exposure.situation)
        except BandRefused as reason:
            raise StrategyBlind(f"no band of kind {policy.band.kind}: {reason}") from None
        idle = is_timed(policy.band.kind) and not (self.state.is_due or outlook.asked)
        wanted = 0.0 if idle else edge_trade(net, policy.target, band)
        lots = whole_lots(wanted, 2 * band.half_width, unit * self._leg.lot)
        traded = lots if abs(lots) >= policy.min_trade else 0.0
        figures = {
            "net_delta": net,
            "unhedged_delta": exposure.unhedged,
            "target": policy.target,
            "half_width": band.half_width,
            "shift": band.shift,
            "gamma": exposure.situation.gamma,
            "level": exposure.situation.level,
        }
        changes = {self._leg.name: round(traded / unit / self._leg.lot) * self._leg.lot}
        return Proposal(
            changes=changes if traded else {},
            breach=abs(wanted) if traded else 0.0,
            figures=figures,
        )

    def decided(self) -> None:
        """A timed band is not due any more."""
        self.state = structs.replace(self.state, is_due=False)

    def taken_back(self) -> None:
        """Its decision failed: a timed band is due again."""
        due = is_timed(self._policy.band.kind)
        self.state = structs.replace(self.state, is_due=due)

    def told(self, figures: Mapping[str, float], note: str) -> StrategyTold:
        """Say what it saw and chose, and what every other band would have."""
        more = scalping_figures(self.state.scalping) if self._policy.scalps else {}
        return StrategyTold(
            strategy=self.name,
            band=self._policy.band.kind,
            figures={**figures, **more},
            bands=tuple(
                BandChoice(
                    kind=account.kind,
                    half_width=account.half_width,
                    hedge=account.hedge,
                    trade=account.trade,
                    trades=account.trades,
                    cost=account.cost,
                    refusal=account.refusal,
                )
                for account in self.state.accounts
            ),
            note=note,
        )

    def _measurement(self, outlook: Outlook) -> Measurement:
        policy = self._policy
        return Measurement(outlook, policy.stale_trading_ns, policy.min_coverage)

    def _exposure(self, measurement: Measurement, outlook: Outlook) -> Exposure:
        symbol, policy = self._policy.underlying, self._policy
        net = net_delta(measurement, outlook, self._legs, symbol)
        return Exposure(
            situation=Situation(
                level=measurement.level(symbol),
                gamma=measurement.read(f"gamma.{symbol}"),
                volatility=measurement.read(f"volatility.{symbol}"),
                years=measurement.optional(f"years.{symbol}", policy.horizon_years),
                vanna=measurement.optional(f"vanna.{symbol}", 0.0),
            ),
            unhedged=net - self._hedge(measurement, outlook),
            target=policy.target,
            trading_ns=outlook.moment.trading_ns,
        )

    def _hedge(self, measurement: Measurement, outlook: Outlook) -> float:
        """Return the delta of what is held and ordered of the hedging leg."""
        unit = unit_delta(measurement, self._leg, self._policy.underlying)
        return outlook.expected(self._leg.name) * unit

    def _scalp(self, measurement: Measurement, outlook: Outlook, situation: Situation) -> None:
        assert outlook.exposure is not None  # noqa: S101 - there is a measurement
        account = measured(
            self.state.scalping,
            event_ns=outlook.exposure.event_ns,
            level=situation.level,
            gamma=situation.gamma,
            theta=measurement.read(f"theta.{self._policy.underlying}"),
            volatility=situation.volatility,
        )
        self.state = structs.replace(self.state, scalping=account)

    def _look_at_schedule(self, trading_ns: int) -> None:
        due_ns = self.state.due_ns or trading_ns
        if is_timed(self._policy.band.kind) and trading_ns >= due_ns:
            following_ns = next_due(due_ns, self._policy.band.interval_trading_ns, trading_ns)
            self.state = structs.replace(self.state, due_ns=following_ns, is_due=True)
