"""The `hedgestat` command.

Longer than most: every command with its options and its help stands here, a few lines each.
"""

import contextlib
import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from shared.adapters.settings import FaultyConfiguration, Settings, load_settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="hedgestat: a thermostat for volatility hedges. Market ticks in over MQTT, rebalance "
    "orders out.",
    epilog="Begin with: hedgestat demo. Then: hedgestat check -c deploy/hedges.toml",
)
keys = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Make and look after the keys that sign orders and commands.",
    epilog="Examples:\n\n  hedgestat keys new\n\n  hedgestat keys show",
)
app.add_typer(keys, name="keys")
logins = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Make and renew the passwords with which each service logs in to broker and stores.",
    epilog="Example:\n\n  hedgestat logins make",
)
app.add_typer(logins, name="logins")
certificates = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Make and renew the servers' certificates, with an authority of our own.",
    epilog="Example:\n\n  hedgestat certificates make --name broker.example.com",
)
app.add_typer(certificates, name="certificates")
console = Console()
errors = Console(stderr=True)

DEPLOY = Path(__file__).parents[1] / "deploy"

Configuration = Annotated[
    Path,
    typer.Option("-c", "--config", help="The TOML configuration.", envvar="HEDGESTAT_CONFIG"),
]
Speed = Annotated[
    str,
    typer.Option(
        help="Event time per wall time, such as 3600; [bold]max[/]: as fast as it settles."
    ),
]


def _settings(config: Path) -> Settings:
    """Load the configuration, or print everything wrong with it and exit with 2."""
    try:
        return load_settings(config)
    except FaultyConfiguration as faulty:
        for fault in faulty.faults:
            _complain(f"[bold red]{escape(str(config))}[/]: {escape(str(fault))}")
        _complain(f"{len(faulty.faults)} fault(s); nothing was started.")
        raise typer.Exit(2) from None


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    """Say in plain words why a command ends, and end it with the code that stands for it."""
    from services.command.endings import Failed, Refused

    try:
        yield
    except (Refused, Failed) as reason:
        _complain(f"[bold red]{escape(str(reason))}[/]")
        raise typer.Exit(2 if isinstance(reason, Refused) else 1) from None


def _complain(markup: str) -> None:
    errors.print(markup, highlight=False, soft_wrap=True)


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 < speed < float("inf"):
        raise typer.BadParameter("a positive number, or max", param_hint="--speed")
    return speed


@app.command(
    epilog="Examples:\n\n  hedgestat demo\n\n"
    "  hedgestat demo --from 2018-01-02 --to 2018-03-29 --rule sigmoid\n\n"
    "  hedgestat demo --history ~/my-csv-files --hold"
)
def demo(
    first: Annotated[
        datetime,
        typer.Option(
            "--from", formats=["%Y-%m-%d"], help="First session.", show_default="2014-01-03"
        ),
    ] = datetime(2014, 1, 3),  # noqa: DTZ001 - a day
    last: Annotated[
        datetime,
        typer.Option(
            "--to", formats=["%Y-%m-%d"], help="Last session, included.", show_default="2018-12-31"
        ),
    ] = datetime(2018, 12, 31),  # noqa: DTZ001 - a day
    speed: Speed = "max",
    rule: Annotated[
        str | None, typer.Option(help="A rule preset instead of the configured rule.")
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(help="A folder of your own CSV files instead of the packaged history."),
    ] = None,
    broker: Annotated[
        str | None, typer.Option(help="A real broker, mqtt://host:port, instead of the embedded.")
    ] = None,
    redis: Annotated[
        str | None, typer.Option(help="A real store, redis://host:port/0, instead of the embedded.")
    ] = None,
    hold: Annotated[bool, typer.Option(help="Stay up after the replay.")] = False,
    verbose: Annotated[
        bool, typer.Option(help="Print every change of a trigger, acceptances and notes, too.")
    ] = False,
    exposure: Annotated[
        bool, typer.Option("--exposure", help="A session of a book of 1,210 options instead.")
    ] = False,
    config: Configuration = DEPLOY / "demo.toml",
) -> None:
    """Run everything on embedded servers over five years of real S&P 500 and VIX history."""
    from services.command.demo import DemoOptions, run_demo
    from services.command.exposure_demo import run_exposure_demo

    options = DemoOptions(
        first=first.date(),
        last=last.date(),
        speed=_speed(speed),
        preset=rule,
        history=history,
        broker=broker,
        redis=redis,
        hold=hold,
        verbose=verbose,
        config=config.absolute(),
    )
    settings = _settings(config)
    with _answering():
        run = run_exposure_demo if exposure else run_demo
        if not run(settings, options, console):
            raise typer.Exit(130)


@app.command(
    epilog="Examples:\n\n  hedgestat up -c deploy/hedges.toml\n\n"
    "  hedgestat up --without gateway -c deploy/hedges.toml"
)
def up(
    config: Configuration,
    without: Annotated[
        list[str] | None,
        typer.Option(help="Leave this one out, for it runs elsewhere; again for another."),
    ] = None,
) -> None:
    """Run all services: auditor, exposure and page in processes of their own, the rest in this one.

    On two machines this is high availability: one leads each stage, the other follows within two
    seconds. There is one gateway, with one record: the second machine runs `--without gateway`.
    """
    from services.command.up import run_services, some_of, with_children

    settings = _settings(config)
    with _answering():
        services = some_of(with_children(config.absolute(), settings), without or ())
        run_services(settings, services, port=settings.http.port, next_free=True)


@app.command(
    epilog="Examples:\n\n  hedgestat run ingest -c deploy/hedges.toml\n\n"
    "  hedgestat run gateway -c deploy/hedges.toml"
)
def run(
    service: Annotated[
        str,
        typer.Argument(help="ingest, signals, hedger, gateway, exposure, auditor or dashboard."),
    ],
    config: Configuration,
    child: Annotated[
        bool, typer.Option(hidden=True, help="Stop when standard input ends; any free port.")
    ] = False,
    listener: Annotated[
        int | None, typer.Option(hidden=True, help="A listening socket that we inherited.")
    ] = None,
) -> None:
    """Run one service in this process; with the others elsewhere it is the same as `up`."""
    from services.command.up import ALL_SERVICES, run_services

    if service not in ALL_SERVICES:
        raise typer.BadParameter(f"{service!r} is none of {', '.join(ALL_SERVICES)}")
    settings = _settings(config)
    port = settings.http.ports[service]
    with _answering():
        services = {service: ALL_SERVICES[service]}
        given = None if listener is None else socket.socket(fileno=listener)
        run_services(settings, services, port=port, next_free=child, child=child, listener=given)


@app.command(
    epilog="Examples:\n\n  hedgestat replay vix.csv spx.csv -c deploy/demo.toml\n\n"
    "  hedgestat replay my-history/ -c deploy/demo.toml --from 2018-01-02 --speed 86400"
)
def replay(
    files: Annotated[list[Path], typer.Argument(help="CSV files, or folders of them.")],
    config: Configuration,
    speed: Speed = "max",
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First session.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last session, included.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="Name of the replay; begun again under one name it goes on."),
    ] = None,
    wait: Annotated[
        bool, typer.Option(help="Wait for hedger and gateway to settle each step.")
    ] = True,
) -> None:
    """Publish recorded ticks and their clock to the broker, no faster than they are journalled."""
    from services.command.replay import ReplayOptions, run_replay

    options = ReplayOptions(
        files=tuple(files),
        first=first.date() if first else None,
        last=last.date() if last else None,
        speed=_speed(speed),
        source=source,
        wait=wait,
    )
    settings = _settings(config)
    with _answering():
        if not run_replay(settings, options, console):
            raise typer.Exit(130)


@app.command(
    epilog="Examples:\n\n  hedgestat tail orders -c deploy/hedges.toml\n\n"
    "  hedgestat tail alerts -c deploy/hedges.toml"
)
def tail(
    what: Annotated[
        str,
        typer.Argument(
            help="orders, executions, triggers, targets, whipsaws, withheld, alerts, rejects, "
            "signals, acks or status."
        ),
    ],
    config: Configuration,
) -> None:
    """Follow a topic, one readable line a message; Ctrl-C ends it."""
    from services.command.tail import TOPICS, run_tail

    if what not in TOPICS:
        raise typer.BadParameter(f"{what!r} is none of {', '.join(TOPICS)}")
    run_tail(_settings(config), TOPICS[what], console, errors)


@app.command(
    epilog="Examples:\n\n  hedgestat top\n\n  hedgestat top overlay --url http://10.0.0.7:8088\n\n"
    "  hedgestat top --once | less"
)
def top(
    book: Annotated[str, typer.Argument(help="Show this book first.", show_default=False)] = "",
    url: Annotated[
        str, typer.Option(help="Where the dashboard is.", envvar="HEDGESTAT_DASHBOARD")
    ] = "http://127.0.0.1:8088",
    once: Annotated[bool, typer.Option("--once", help="Print once, for a pipe.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="All of it for a program, a line each.")
    ] = False,
    interval: Annotated[
        float, typer.Option(min=0.1, max=60.0, help="Draw at most so often, seconds.")
    ] = 0.5,
) -> None:
    """Show the page in a terminal: market, books, orders, alerts, services; q quits, ? helps."""
    from services.command.top.command import TopOptions, run_top

    options = TopOptions(url=url, book=book, once=once, as_json=as_json, interval_s=interval)
    with _answering():
        run_top(options, console)


Scope = Annotated[str, typer.Argument(help="A book, or [bold]all[/].")]
Reason = Annotated[str, typer.Option("--reason", help="Why: it is written down for good.")]
Operator = Annotated[str, typer.Option(help="Who you are.", envvar=["HEDGESTAT_OPERATOR", "USER"])]
Local = Annotated[
    bool,
    typer.Option("--local", help="By the gateway's own socket: needs no broker and no store."),
]
Patience = Annotated[float, typer.Option("--patience", min=0.1, help="Seconds to wait.")]


@app.command(
    epilog="Examples:\n\n  hedgestat halt --reason 'wrong marks' -c deploy/hedges.toml\n\n"
    "  hedgestat halt overlay --reducing --reason 'fund closes' -c deploy/hedges.toml\n\n"
    "  hedgestat halt --local --reason 'broker is down' -c deploy/hedges.toml"
)
def halt(
    config: Configuration,
    reason: Reason,
    scope: Scope = "all",
    reducing: Annotated[
        bool, typer.Option("--reducing", help="Let orders through that bring the vega nearer to 0.")
    ] = False,
    local: Local = False,
    operator: Operator = "operator",
    patience: Patience = 5.0,
) -> None:
    """Stop trading and cancel what is open; done when the gateway has said so."""
    from services.command.control import Commander, Wish, run_command

    wish = Wish(scope=scope, operator=operator, reason=reason, local=local, patience_s=patience)
    commander = Commander(_settings(config), console)
    with _answering():
        run_command(commander.halt(wish, "reducing" if reducing else "halted"))


@app.command(
    epilog="Examples:\n\n  hedgestat resume --reason 'marks are right' -c deploy/hedges.toml\n\n"
    "  hedgestat resume overlay --local --reason drill -c deploy/hedges.toml"
)
def resume(
    config: Configuration,
    reason: Reason,
    scope: Scope = "all",
    local: Local = False,
    operator: Operator = "operator",
    patience: Patience = 5.0,
) -> None:
    """Let a scope trade again, whoever had stopped it; signed, also at the socket."""
    from services.command.control import Commander, Wish, run_command

    wish = Wish(scope=scope, operator=operator, reason=reason, local=local, patience_s=patience)
    commander = Commander(_settings(config), console)
    with _answering():
        run_command(commander.resume(wish))


@app.command(
    epilog="Example:\n\n  hedgestat rebalance overlay --reason 'index review' -c deploy/hedges.toml"
)
def rebalance(
    config: Configuration,
    reason: Reason,
    scope: Scope = "all",
    operator: Operator = "operator",
    patience: Patience = 5.0,
) -> None:
    """Ask books to rebalance now, and print what each of them answers."""
    from services.command.control import Commander, Wish, run_command

    wish = Wish(scope=scope, operator=operator, reason=reason, patience_s=patience)
    commander = Commander(_settings(config), console)
    with _answering():
        run_command(commander.rebalance(wish))


@app.command(
    epilog="Examples:\n\n  hedgestat status -c deploy/hedges.toml\n\n"
    "  hedgestat status --local -c deploy/hedges.toml"
)
def status(config: Configuration, local: Local = False, patience: Patience = 5.0) -> None:
    """Print what each scope may do now, by the gateway's own word, and who wanted it so."""
    from services.command.control import Commander, Wish, run_command

    wish = Wish(scope="all", operator="", reason="", local=local, patience_s=patience)
    commander = Commander(_settings(config), console)
    with _answering():
        run_command(commander.status(wish))


@app.command(
    epilog="Examples:\n\n  hedgestat exposure overlay -c deploy/hedges.toml\n\n"
    "  hedgestat exposure overlay --follow -c deploy/hedges.toml"
)
def exposure(
    book: Annotated[str, typer.Argument(help="Whose.")],
    config: Configuration,
    follow: Annotated[bool, typer.Option("--follow", help="Show each new one.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a line.")] = False,
    patience: Patience = 5.0,
) -> None:
    """Print a book's Greeks in units and in money, its worst scenario, and what is missing."""
    from services.command.exposure import ExposureOptions, run_exposure

    options = ExposureOptions(book=book, follow=follow, as_json=as_json, patience_s=patience)
    settings = _settings(config)
    with _answering():
        run_exposure(settings, options, console)


@app.command(epilog="Example:\n\n  hedgestat check -c deploy/hedges.toml")
def check(config: Configuration) -> None:
    """List every fault of a configuration, with its line and what to write instead."""
    from services.command.doctor import missing_keys
    from services.command.holdings import told_holdings
    from shared.adapters.clock import SystemClock

    settings = _settings(config)
    books = ", ".join(book.name for book in settings.books)
    verdict = f"[green]{escape(str(config))}: no fault.[/]"
    told = f"{verdict} Books: {books}. Digest {settings.digest[:16]}."
    console.print(told, highlight=False, soft_wrap=True)
    for line in told_holdings(settings, SystemClock().now_ns()):
        console.print(line, highlight=False, soft_wrap=True)
    for line in missing_keys(settings):
        console.print(f"[yellow]{escape(line)}[/]", highlight=False, soft_wrap=True)


Where = Annotated[str | None, typer.Option(metavar="URL", help="Look at this one, too.")]


@app.command(
    epilog="Examples:\n\n  hedgestat doctor -c deploy/hedges.toml\n\n"
    "  hedgestat doctor gateway -c deploy/hedges.toml\n\n"
    "  hedgestat doctor --running --page http://127.0.0.1:8088 "
    "--prometheus http://127.0.0.1:9090 --alertmanager http://127.0.0.1:9093 -c deploy/hedges.toml"
)
def doctor(
    config: Configuration,
    services: Annotated[
        list[str] | None,
        typer.Argument(
            help="The services of this machine, whose keys and files it needs; "
            "operator, where none runs; else all."
        ),
    ] = None,
    running: Annotated[
        bool,
        typer.Option(help="They are to be running: leases, gateway, versions, this clock, too."),
    ] = False,
    page: Where = None,
    prometheus: Where = None,
    alertmanager: Where = None,
) -> None:
    """Check servers, certificates, keys, files and room, and say what to do about what is wrong.

    With --running, and with the address of page, Prometheus or Alertmanager, those too.
    """
    from services.command.doctor import OPERATOR, Examination, examine
    from services.command.up import ALL_SERVICES

    known = (*ALL_SERVICES, OPERATOR)
    for service in services or ():
        if service not in known:
            raise typer.BadParameter(f"{service!r} is none of {', '.join(known)}")
    examination = Examination(
        services=tuple(services or ALL_SERVICES),
        is_running=running,
        page=page,
        prometheus=prometheus,
        alertmanager=alertmanager,
    )
    if not examine(_settings(config), examination, console):
        raise typer.Exit(1)


audit = typer.Typer(help="Whether the record of decisions is what was decided.")
app.add_typer(
    audit,
    name="audit",
    no_args_is_help=True,
    epilog="Example:\n\n  hedgestat audit verify -c x.toml",
)


@audit.command(
    epilog="Examples:\n\n  hedgestat audit verify -c deploy/hedges.toml\n\n"
    "  hedgestat audit verify --from archive/hedge.v1.hedger.decisions -c deploy/hedges.toml"
)
def verify(
    config: Configuration,
    files: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            help="[bold]store[/]: archive and store; or segments of an archive, or their folder.",
            show_default="store",
        ),
    ] = None,
    without_head: Annotated[
        bool, typer.Option(help="Be content when no signed head is known.")
    ] = False,
) -> None:
    """Follow the chain of the decision log, and hold it against the heads that were signed."""
    from services.command.audit import STORE, VerifyOptions, run_verify

    paths = tuple(Path(each) for each in files or () if each != STORE)
    settings = _settings(config)
    with _answering():
        run_verify(settings, VerifyOptions(files=paths, without_head=without_head), console)


@app.command(
    epilog="Examples:\n\n  hedgestat why overlay-00000007-varswap_3m -c deploy/hedges.toml\n\n"
    "  hedgestat why overlay-00000007-varswap_3m --json --from run.parquet -c deploy/hedges.toml"
)
def why(
    order_id: Annotated[str, typer.Argument(help="Of the order.")],
    config: Configuration,
    as_json: Annotated[bool, typer.Option("--json", help="All of it, for a program.")] = False,
    export: Annotated[
        Path | None,
        typer.Option("--from", help="An exported journal instead of archive and store."),
    ] = None,
) -> None:
    """Tell what an order came of: triggers, signals, sizing, limits, code; and what of it."""
    from services.command.why import run_why

    settings = _settings(config)
    with _answering():
        run_why(settings, order_id, export=export, as_json=as_json, console=console)


journal = typer.Typer(
    help="The journal as a file: taken along, and decided once more.",
    epilog="Example:\n\n  hedgestat journal export run.parquet -c deploy/hedges.toml",
)
app.add_typer(journal, name="journal", no_args_is_help=True)


@journal.command(
    epilog="Examples:\n\n  hedgestat journal export run.parquet -c deploy/hedges.toml\n\n"
    "  hedgestat journal export 2026.parquet --to 2026-12-31 -c deploy/hedges.toml"
)
def export(
    file: Annotated[Path, typer.Argument(help="Written whole at the end, or not at all.")],
    config: Configuration,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, UTC.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, UTC, included.")
    ] = None,
) -> None:
    """Write the journal and what was decided of it, archive and store together, to one file."""
    from services.command.journal import Period, run_export

    period = Period.of(first.date() if first else None, last.date() if last else None)
    settings = _settings(config)
    with _answering():
        if not run_export(settings, file, period, console):
            raise typer.Exit(130)


@journal.command(
    "replay",
    epilog="Example:\n\n  hedgestat journal replay run.parquet --compare -c deploy/hedges.toml",
)
def journal_replay(
    file: Annotated[Path, typer.Argument(help="As `hedgestat journal export` writes it.")],
    config: Configuration,
    compare: Annotated[
        bool, typer.Option(help="Hold the decisions against those that were recorded.")
    ] = False,
    write: Annotated[Path | None, typer.Option(help="Write the decisions to this file.")] = None,
) -> None:
    """Decide an exported journal anew, without servers, and print the digest of the decisions."""
    from services.command.journal import run_journal_replay

    settings = _settings(config)
    with _answering():
        run_journal_replay(settings, file, write=write, compare=compare, console=console)


KeyDirectory = Annotated[
    Path,
    typer.Option(
        "-d", "--directory", help=r"Where they are: \[keys] directory.", envvar="HEDGESTAT_KEYS"
    ),
]
KeyRole = Annotated[str, typer.Argument(help="monitor, gateway, operator or auditor.")]


@keys.command(
    "new",
    epilog="Examples:\n\n  hedgestat keys new\n\n  hedgestat keys new operator -d ~/keys",
)
def keys_new(
    roles: Annotated[
        list[str] | None,
        typer.Argument(help="monitor, gateway, operator, auditor, desk; all when none is named."),
    ] = None,
    directory: KeyDirectory = Path("keys"),
) -> None:
    """Make the first key of each role; what is there is never overwritten."""
    from services.command.keys import make

    with _answering():
        make(directory, roles or [], console)


@keys.command("rotate", epilog="Example:\n\n  hedgestat keys rotate monitor")
def keys_rotate(role: KeyRole, directory: KeyDirectory = Path("keys")) -> None:
    """Make a role's next key and sign with it; the old one stays trusted until it is retired."""
    from services.command.keys import rotate

    with _answering():
        rotate(directory, role, console)


@keys.command("retire", epilog="Example:\n\n  hedgestat keys retire monitor 6c1de8a05f3b7942")
def keys_retire(
    role: KeyRole,
    key_id: Annotated[str, typer.Argument(help="As `hedgestat keys show` prints it.")],
    directory: KeyDirectory = Path("keys"),
) -> None:
    """Stop trusting a key that does not sign any more."""
    from services.command.keys import retire

    with _answering():
        retire(directory, role, key_id, console)


@keys.command("show", epilog="Example:\n\n  hedgestat keys show")
def keys_show(directory: KeyDirectory = Path("keys")) -> None:
    """List keys: role, id, whether it signs or is trusted here, and what is wrong with it."""
    from services.command.keys import show

    if not show(directory, console):
        raise typer.Exit(1)


operators = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Say who may log in to the page, to halt, reduce and rebalance.",
    epilog="Examples:\n\n  hedgestat operators add ann\n\n  hedgestat operators list",
)
app.add_typer(operators, name="operators")
OperatorsFile = Annotated[
    Path,
    typer.Option(
        "-f", "--file", help="As [http] operators_file.", envvar="HEDGESTAT_OPERATORS_FILE"
    ),
]
OperatorName = Annotated[str, typer.Argument(help="Stands in every action and every log.")]


@operators.command(
    "add",
    epilog="Examples:\n\n  hedgestat operators add ann\n\n"
    "  hedgestat operators add ann -f /etc/hedgestat/operators < password",
)
def operators_add(name: OperatorName, file: OperatorsFile = Path("operators")) -> None:
    """Let somebody log in; asks for the password twice, or reads a line that is piped in."""
    from services.command.operators import add

    with _answering():
        add(file, name, console)


@operators.command("remove", epilog="Example:\n\n  hedgestat operators remove ann")
def operators_remove(name: OperatorName, file: OperatorsFile = Path("operators")) -> None:
    """Let somebody log in no more; whoever is logged in is logged out."""
    from services.command.operators import remove

    with _answering():
        remove(file, name, console)


@operators.command("list", epilog="Example:\n\n  hedgestat operators list")
def operators_list(file: OperatorsFile = Path("operators")) -> None:
    """List who may log in."""
    from services.command.operators import show

    with _answering():
        show(file, console)


@app.command(
    epilog="Examples:\n\n  hedgestat simulate --seeds 500\n\n  hedgestat simulate --seed 1234"
)
def simulate(
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 500,
    first: Annotated[int, typer.Option(min=0, help="The first of them.")] = 1,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Run this one alone and print all that happens.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="As many seeds as fit, instead of --seeds.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="How many processes share them.")] = 1,
) -> None:
    """Run the services on a virtual clock through seeded faults, and check what is left."""
    from services.command.simulation.campaign import CampaignOptions, replay, run_campaign

    if seed is not None:
        is_well = not replay(seed, console).violations
    else:
        options = CampaignOptions(first=first, seeds=seeds, minutes=minutes, jobs=jobs)
        try:
            is_well = run_campaign(options, console).is_well
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
    if not is_well:
        raise typer.Exit(1)


@app.command(
    epilog="Examples:\n\n  hedgestat torture --minutes 5\n\n"
    "  hedgestat torture --minutes 1 --seed 1234 --keep broken/"
)
def torture(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long.")] = 5.0,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the first sweep.")] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Leave everything here, also when nothing was violated.")
    ] = None,
    scenarios: Annotated[
        str,
        typer.Option(help="What is played after the sweeps: all, none, or names, a comma each."),
    ] = "all",
    steady: Annotated[
        float,
        typer.Option(min=0.0, help="First, seconds with a kill only now and then: many orders."),
    ] = 0.0,
) -> None:
    """Kill, freeze and cut off real servers and services again and again, and judge the rest."""
    from services.command.torture.command import TortureOptions, named_scenarios, run_torture

    with _answering():
        options = TortureOptions(
            minutes=minutes,
            seed=seed,
            keep=keep,
            scenarios=named_scenarios(scenarios),
            steady_s=steady,
        )
        is_well = run_torture(options, console)
    if not is_well:
        raise typer.Exit(1)


@app.command(epilog="Example:\n\n  hedgestat asyncapi > deploy/asyncapi.json")
def asyncapi() -> None:
    """Print the AsyncAPI 3 document of the wire contract."""
    from shared.wire.asyncapi import render

    typer.echo(render(), nl=False)


@app.command(epilog="Example:\n\n  hedgestat grafana deploy/grafana/dashboards")
def grafana(
    directory: Annotated[Path, typer.Argument(help="Where Grafana's provisioning finds them.")],
) -> None:
    """Write the Grafana dashboards, a file each."""
    from services.command.grafana.files import write_dashboards

    write_dashboards(directory)


LoginDirectory = Annotated[
    Path, typer.Option("-d", "--directory", help="Where they are.", envvar="HEDGESTAT_LOGINS")
]
CertificateDirectory = Annotated[Path, typer.Option("-d", "--directory", help="Where they are.")]


@logins.command("make", epilog="Example:\n\n  hedgestat logins make -d ~/logins")
def logins_make(directory: LoginDirectory = Path("logins")) -> None:
    """Make the logins that are missing, and what the servers compare them with."""
    from services.command.access import make

    with _answering():
        make(directory, console)


@logins.command("rotate", epilog="Example:\n\n  hedgestat logins rotate hedger gateway")
def logins_rotate(
    identities: Annotated[list[str], typer.Argument(help="Whose: feed, ingest, hedger …")],
    directory: LoginDirectory = Path("logins"),
) -> None:
    """Make new passwords of some identities."""
    from services.command.access import rotate

    with _answering():
        rotate(directory, identities, console)


@certificates.command(
    "make", epilog="Example:\n\n  hedgestat certificates make --name broker.example.com"
)
def certificates_make(
    servers: Annotated[
        list[str] | None,
        typer.Argument(help="Each by the name its clients use; mosquitto and the stores if none."),
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option(help="A further host name or address, for all of them.")
    ] = None,
    directory: CertificateDirectory = Path("certificates"),
) -> None:
    """Make what is missing or ends within 30 days; what is good stays as it is."""
    from services.command.access import make_anew

    with _answering():
        make_anew(directory, servers or [], name or [], console)


@certificates.command("show", epilog="Example:\n\n  hedgestat certificates show")
def certificates_show(directory: CertificateDirectory = Path("certificates")) -> None:
    """List certificates and how long they are good; fails when one ends within 30 days."""
    from services.command.access import show

    with _answering():
        if not show(directory, console):
            raise typer.Exit(1)


@app.command(epilog="Example:\n\n  hedgestat access broker > deploy/acl")
def access(
    server: Annotated[
        str, typer.Argument(help="broker, orders, market, or both: one store in both roles.")
    ],
) -> None:
    """Print a server's access list, without passwords: who may do what."""
    from services.command.access import access_list

    with _answering():
        typer.echo(access_list(server), nl=False)


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()
