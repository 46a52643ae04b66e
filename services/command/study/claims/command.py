"""`hedgestat study claims`: measure what the papers claim, print it, keep it as claims.json."""

from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from services.command.endings import Failed
from services.command.study.claims.closes import closes_of
from services.command.study.claims.variants import CONDITIONAL, VIX_SCALED, examples, of_the_papers
from services.command.study.figures import rows_of
from services.command.study.results import StudyFolder
from services.command.study.study import Hands, Study
from shared.adapters.study.files import write_text
from shared.adapters.study.plan import Variant
from shared.domain.study.claims.claim import Judged
from shared.domain.study.claims.examples import conditional_claims, vix_scaled_claims
from shared.domain.study.claims.hedges import HedgeRun, hedge_claims
from shared.domain.study.claims.market import ChainPolicy, market_claims
from shared.domain.study.claims.periods import period_claims
from shared.domain.study.claims.worked import unmeasurable_claims, worked_claims
from shared.domain.study.resampling import BootstrapPolicy

Sections = dict[str, list[Judged]]

DYNAMIC: Final = "Dynamic against static"
MODEL_PRICED: Final = "model-priced"
ZERO_COST: Final = "zero cost"


class ClaimsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What claims.json holds.

    Attributes:
        first: Of the sessions …
        last: … and the last.
        sessions: Of the exchange between them …
        closes: … and those with a close of VIX.
        zero_cost: Nothing that was traded cost anything.
        data_digest: Of the history.
        notes: What a reader of any figure should know: how what nobody quotes was priced.
        sections: Every claim, by what it speaks of.
    """

    first: Any
    last: Any
    sessions: int
    closes: int
    zero_cost: bool
    data_digest: str
    notes: tuple[str, ...] = ()
    sections: Sections


def judge_claims(study: Study, hands: Hands) -> ClaimsDocument:
    """Run what is missing and hold every claim against it.

    Raises:
        Refused: The plan cannot be patched into the worked examples.
        Failed: Results cannot be written or read, or the cluster does not answer.
    """
    plan, material = study.plan, study.material
    study.run(hands)
    policy = BootstrapPolicy(resamples=plan.resamples, seed=plan.seed)
    signals = plan.variant("base", {}).settings.signals
    closes = closes_of(material, signals.vix_symbol, signals.index_symbol)
    chain = ChainPolicy(
        stress_above=signals.regime.high_above,
        half_life_sessions=signals.transition_half_life_sessions,
    )
    runs = [_run(study, study.folder, variant) for variant in of_the_papers(plan)]
    played = _play_examples(study, hands)
    sections = {
        "The market": market_claims(closes, policy, chain),
        DYNAMIC: hedge_claims([run for run in runs if len(run.rows)], policy),
        "The worked examples, once more": worked_claims(),
        "The worked examples on this history": [
            *period_claims(closes, policy),
            *vix_scaled_claims(played[VIX_SCALED], policy),
            *conditional_claims(played[CONDITIONAL], policy),
        ],
        "What no history of levels tells": unmeasurable_claims(),
    }
    return ClaimsDocument(
        first=material.first,
        last=material.last,
        sessions=len(closes.day),
        closes=int(np.sum(~np.isnan(closes.vix))),
        zero_cost=plan.zero_cost,
        data_digest=material.digest,
        notes=material.notes,
        sections=sections,
    )


def _play_examples(study: Study, hands: Hands) -> dict[str, HedgeRun]:
    folder = StudyFolder(study.folder.path / "examples", ("daily",))
    variants = examples(study.plan)
    study.run_in(folder, list(variants.values()), hands)
    return {name: _run(study, folder, variant) for name, variant in variants.items()}


def _run(study: Study, folder: StudyFolder, variant: Variant) -> HedgeRun:
    priced = study.material.instruments.model_priced
    labels = [MODEL_PRICED] * any(leg.symbol in priced for leg in variant.book.legs)
    labels += [ZERO_COST] * study.plan.zero_cost
    return HedgeRun(
        name=variant.name,
        rows=rows_of(folder.daily(variant.name)),
        base_vega=variant.book.sizing.base_vega,
        labels=tuple(labels),
    )


def keep(document: ClaimsDocument, path: Path) -> None:
    """Write what was found as JSON.

    Raises:
        Failed: The disk does not take it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(
            path, msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
        )
    except OSError as reason:
        raise Failed(f"{path}: {reason.strerror}") from None
