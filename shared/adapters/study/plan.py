"""A study's plan: which configuration, over which history, in which variants.

Longer than most: everything a plan may say is read in one place.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any, Final, Literal, get_args

from msgspec import UNSET, Struct, structs

from shared.adapters.configuration.faults import Faults, FaultyConfiguration
from shared.adapters.configuration.lines import locate
from shared.adapters.configuration.table import Range, Table
from shared.adapters.settings import Settings, read_document, settings_of
from shared.adapters.study.instruments import read_costs, read_rolling, read_surface
from shared.adapters.study.patches import Document, NoSuchKey, patched
from shared.domain.hedging.rules import asked_of_signals
from shared.domain.policies import BookPolicy, LegPolicy
from shared.domain.study.contracts import RollingInstrument
from shared.domain.study.costs import NO_COSTS, InstrumentCosts
from shared.domain.study.surface import SurfacePolicy
from shared.domain.study.variants import VariantName, variant_book

Prints = Literal["closes", "bars"]
FUTURES: Final = ("VX1", "VX3")
"""Positions of VIX futures that signals read, when there are any among the files."""
_OPTIONS: Final = frozenset({"put", "vix_call"})
_PRINTS: Final[tuple[Prints, ...]] = ("closes", "bars")
BENCHMARKS: Final[tuple[VariantName, ...]] = get_args(VariantName)
_MOST_VARIANTS: Final = 100_000
_SHORTEST: Final = Range(20, 100_000)


class Variant(Struct, frozen=True, kw_only=True):
    """One hedge that is studied.

    Attributes:
        name: `[a-z0-9_]{1,64}`.
        note: For a reader of the report.
        changes: What it sets otherwise than the configuration, by dotted path.
        settings: The whole configuration with these changes.
        book: The studied book of it.
    """

    name: str
    note: str
    changes: dict[str, Any]
    settings: Settings
    book: BookPolicy


class Sweep(Struct, frozen=True, kw_only=True):
    """One parameter that is varied, and the values that it takes.

    Attributes:
        key: Dotted path, see `patches`.
        values: In the order of the plan.
    """

    key: str
    values: tuple[Any, ...]


class WalkForward(Struct, frozen=True, kw_only=True):
    """How parameters are chosen on the past and judged on what follows.

    Attributes:
        train_sessions: At first, and with a sliding window always.
        test_sessions: Of each window, right after the training.
        anchored: Whether training always begins at the beginning.
        objective: The figure that is made as large as it can be.
    """

    train_sessions: int = 504
    test_sessions: int = 126
    anchored: bool = True
    objective: Literal["sharpe", "net_profit", "effectiveness"] = "sharpe"


class StudyPlan(Struct, frozen=True, kw_only=True):
    """What is to be studied.

    Attributes:
        path: The plan's file.
        title: For the report.
        document: The configuration that it begins with, as TOML gives it …
        configuration: … and its file.
        book: Whose hedge.
        first: First session asked for; `None`: the first there is.
        last: Last session asked for, included; `None`: the last there is.
        history: Files and folders; none: the packaged history.
        prints: Whether a session prints its closes alone, or its opens, highs and lows as well.
        zero_cost: Nothing costs anything: every table says so.
        costs: Of a deal, by instrument.
        instruments: That are rolled, and marked for the study.
        surface: What options are priced on.
        results: Folder for results; a relative one is of the working directory.
        variants: Side by side, in the order of the plan.
        sweep: Parameters that are varied together.
        out_of_sample: From this day on nothing was looked at when rules were chosen; `None`: the
            last third.
        walk_forward: See there.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
    """

    path: Path
    title: str
    document: Document
    configuration: Path
    book: str
    first: date | None
    last: date | None
    history: tuple[Path, ...]
    prints: Prints
    zero_cost: bool
    costs: dict[str, InstrumentCosts]
    instruments: tuple[RollingInstrument, ...]
    surface: SurfacePolicy
    results: Path
    variants: tuple[Variant, ...]
    sweep: tuple[Sweep, ...]
    out_of_sample: date | None
    walk_forward: WalkForward
    resamples: int
    seed: int

    def variant(
        self,
        name: str,
        changes: Mapping[str, Any],
        note: str = "",
        benchmark: VariantName | None = None,
    ) -> Variant:
        """Make a variant of the configuration.

        Raises:
            NoSuchKey: A change leads nowhere.
            FaultyConfiguration: The configuration is none with these changes.
            ValueError: The book's legs are not what the benchmark trades.
        """
        document = patched(self.document, self.book, changes)
        unknown = _with_placeholders(document, {each.symbol for each in self.instruments})
        settings = settings_of(document, self.configuration, {})
        if self.zero_cost:
            settings = without_cost(settings)
        book = next(each for each in settings.books if each.name == self.book)
        book = structs.replace(book, legs=tuple(_without(leg, unknown) for leg in book.legs))
        if benchmark is not None:
            index_symbol = settings.signals.index_symbol
            book = variant_book(book, benchmark, index_symbol=index_symbol)
        asked = asked_of_signals(book.rules) or UNSET
        signals = structs.replace(settings.signals, asked=asked)
        settings = structs.replace(settings, books=(book,), signals=signals)
        return Variant(name=name, note=note, changes=dict(changes), settings=settings, book=book)

    def swept(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield name and changes of every combination of the sweep's values."""
        keys = [each.key for each in self.sweep]
        for number, values in enumerate(product(*(each.values for each in self.sweep)), 1):
            yield f"sweep_{number:05d}", dict(zip(keys, values, strict=True))


def without_costs(plan: StudyPlan) -> StudyPlan:
    """Return the plan with trades that cost nothing, and that says so."""
    variants = tuple(
        structs.replace(each, settings=without_cost(each.settings)) for each in plan.variants
    )
    instruments = tuple(structs.replace(each, costs=NO_COSTS) for each in plan.instruments)
    return structs.replace(
        plan,
        zero_cost=True,
        variants=variants,
        instruments=instruments,
        costs=dict.fromkeys(plan.costs, NO_COSTS),
    )


def without_cost(settings: Settings) -> Settings:
    """Let the venue fill at the mark for nothing."""
    free = structs.replace(settings.paper, half_spread=0.0, slippage=0.0, commission=0.0)
    return structs.replace(settings, paper=free)


def load_plan(path: Path) -> StudyPlan:
    """Read a plan, its configuration and every variant of it.

    Raises:
        FaultyConfiguration: With every fault of the plan; or else of the configuration.
    """
    text, document = read_document(path)
    faults = Faults(locate(text))
    root = Table(document, (), faults, 1)
    configuration = path.parent / root.text("configuration", "demo.toml")
    try:
        _, settings_document = read_document(configuration)
        books = settings_of(settings_document, configuration, {}).books
    except FaultyConfiguration as faulty:
        remedy = f"mend {configuration}, or name another"
        for fault in faulty.faults:
            root.fault("configuration", f"{configuration}: {fault}", remedy)
        raise FaultyConfiguration(str(path), faults.found()) from None
    plan = _plan(root, path, configuration, settings_document, books)
    if found := faults.found():
        raise FaultyConfiguration(str(path), found)
    return plan


def _plan(
    root: Table,
    path: Path,
    configuration: Path,
    document: Document,
    books: Sequence[BookPolicy],
) -> StudyPlan:
    book = root.text("book", books[0].name)
    document = _with_common(root, document, book)
    if book not in {each.name for each in books}:
        there = ", ".join(each.name for each in books)
        root.fault("book", f"there is no book {book!r}", f"{configuration} has {there}")
    history, costs = root.table("history"), read_costs(root.table("costs"))
    instruments = read_rolling(root, costs)
    futures = FUTURES if history.texts("files") else ()
    document = _with_symbols(document, (*(each.symbol for each in instruments), *futures))
    bootstrap = root.table("bootstrap")
    plan = StudyPlan(
        path=path,
        title=root.text("title", path.stem),
        document=document,
        configuration=configuration,
        book=book,
        first=_day(root, "from"),
        last=_day(root, "to"),
        history=tuple(path.parent / each for each in history.texts("files")),
        prints=history.choice("prints", _PRINTS, "closes"),
        zero_cost=root.table("costs").flag("zero", default=False),
        costs=costs,
        instruments=instruments,
        surface=read_surface(root.table("surface")),
        results=Path(root.text("results", f"{path.stem}-results")),
        variants=(),
        sweep=_sweep(root),
        out_of_sample=_day(root.table("split"), "out_of_sample"),
        walk_forward=_walk_forward(root.table("walk_forward")),
        resamples=bootstrap.count("resamples", 1000, Range(100, 100_000)),
        seed=bootstrap.count("seed", 1),
    )
    if plan.first and plan.last and plan.first > plan.last:
        root.fault("from", f"{plan.first} is after {plan.last}", "turn them round")
    tables = root.tables("variants")
    names = [_name(table) for table in tables]
    for table, name in zip(tables, names, strict=True):
        if names.count(name) > 1 and table.is_sound("name"):
            table.fault("name", f"two variants are called {name!r}", "name one differently")
    variants = tuple(_variant(plan, table, name) for table, name in zip(tables, names, strict=True))
    for part in (history, bootstrap, root.table("split"), root.table("walk_forward")):
        part.refuse_unknown_keys()
    root.refuse_unknown_keys()
    return structs.replace(plan, variants=tuple(each for each in variants if each is not None))


def _variant(plan: StudyPlan, table: Table, name: str) -> Variant | None:
    changes = table.table("set")
    values = {key: changes.value(key) for key in changes.keys()}  # noqa: SIM118 - not a mapping
    note = table.text("note", "")
    benchmark = table.choice("benchmark", BENCHMARKS, "static") if table.has("benchmark") else None
    table.refuse_unknown_keys()
    try:
        return plan.variant(name, _flat(values), note, benchmark)
    except NoSuchKey as reason:
        table.fault("set", str(reason), "a key is a dotted path in the configuration, in quotes")
    except FaultyConfiguration as faulty:
        for fault in faulty.faults:
            table.fault("set", f"{fault.key}: {fault.problem}", fault.remedy)
    except ValueError as reason:
        table.fault("benchmark", str(reason), "set its legs under set")
    return None


def _with_common(root: Table, document: Document, book: str) -> Document:
    common = root.table("set")
    values = {key: common.value(key) for key in common.keys()}  # noqa: SIM118 - not a mapping
    try:
        return patched(document, book, _flat(values))
    except NoSuchKey as reason:
        root.fault("set", str(reason), "a key is a dotted path in the configuration, in quotes")
        return document


def _with_symbols(document: Document, names: Sequence[str]) -> Document:
    """Let a leg name an instrument of the plan: no feed prints it, the study does."""
    symbols: Document = {name: {} for name in names}
    return {**document, "symbols": {**document.get("symbols", {}), **symbols}}


def _with_placeholders(document: Document, rolling: Collection[str]) -> frozenset[str]:
    """Give option legs a vega where the study measures it; returns the names of these legs."""
    legs = [
        leg
        for book in document.get("books", ())
        for leg in book.get("legs", ())
        if leg.get("symbol") in rolling and "vega_per_unit" not in leg
    ]
    named = frozenset(leg.get("name", "") for leg in legs if leg.get("instrument") in _OPTIONS)
    for leg in legs:
        if leg.get("instrument") in _OPTIONS:
            leg["vega_per_unit"] = 1.0
    return named


def _without(leg: LegPolicy, unknown: Collection[str]) -> LegPolicy:
    return structs.replace(leg, vega_per_unit=None) if leg.name in unknown else leg


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Make dotted paths of what TOML has made tables of: `book.rule = …` as `"book.rule" = …`."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def _name(table: Table) -> str:
    name = table.text("name")
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789_")
    if table.is_sound("name") and not (set(name) <= allowed and len(name) <= 64):  # noqa: PLR2004
        table.fault("name", f"{name!r} is no name", "use a-z, 0-9 and _, at most 64")
    return name


def _sweep(root: Table) -> tuple[Sweep, ...]:
    sweeps = []
    count = 1
    for table in root.tables("sweep"):
        values = table.value("values")
        if not isinstance(values, list) or not values:
            table.fault("values", "is no list of values", "write values = [2.0, 3.0, 4.0]")
            values = [None]
        count *= len(values)
        sweeps.append(Sweep(key=table.text("key"), values=tuple(values)))
        table.refuse_unknown_keys()
    if count > _MOST_VARIANTS:
        root.fault("sweep", f"{count:,} combinations", f"leave at most {_MOST_VARIANTS:,}")
    return tuple(sweeps)


def _walk_forward(table: Table) -> WalkForward:
    default = WalkForward()
    return WalkForward(
        train_sessions=table.count("train_sessions", default.train_sessions, _SHORTEST),
        test_sessions=table.count("test_sessions", default.test_sessions, _SHORTEST),
        anchored=table.flag("anchored", default=default.anchored),
        objective=table.choice(
            "objective", ("sharpe", "net_profit", "effectiveness"), default.objective
        ),
    )


def _day(table: Table, key: str) -> date | None:
    value = table.value(key)
    if value is None or type(value) is date:
        return value
    table.fault(key, "is not a day", f"write {key} = 2014-01-03 without quotes")
    return None
