"""Keys, logins, certificates, operators, and the servers' access lists."""

from pathlib import Path
from typing import Annotated, Final

import typer

from services.command.groups.common import ConfigurationIfAny, answering, console, settings_of

PANEL: Final = "Keys and logins"

app = typer.Typer()

keys = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Make and look after the keys that sign orders and commands.",
    epilog="Examples:\n\n  hedgestat keys new\n\n  hedgestat keys show",
)
app.add_typer(keys, name="keys", rich_help_panel=PANEL)

KeyDirectory = Annotated[
    Path,
    typer.Option(
        "-d", "--directory", help=r"Where they are: \[keys] directory.", envvar="HEDGESTAT_KEYS"
    ),
]
KeyRole = Annotated[str, typer.Argument(help="monitor, gateway, operator, auditor or desk.")]


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

    with answering():
        make(directory, roles or [], console)


@keys.command("rotate", epilog="Example:\n\n  hedgestat keys rotate monitor")
def keys_rotate(role: KeyRole, directory: KeyDirectory = Path("keys")) -> None:
    """Make a role's next key and sign with it; the old one stays trusted until it is retired."""
    from services.command.keys import rotate

    with answering():
        rotate(directory, role, console)


@keys.command("retire", epilog="Example:\n\n  hedgestat keys retire monitor 6c1de8a05f3b7942")
def keys_retire(
    role: KeyRole,
    key_id: Annotated[str, typer.Argument(help="As `hedgestat keys show` prints it.")],
    directory: KeyDirectory = Path("keys"),
) -> None:
    """Stop trusting a key that does not sign any more."""
    from services.command.keys import retire

    with answering():
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
    epilog="Examples:\n\n  hedgestat operators add ann -c deploy/hedges.toml\n\n"
    "  hedgestat operators list",
)
app.add_typer(operators, name="operators", rich_help_panel=PANEL)

OperatorsFile = Annotated[
    Path | None,
    typer.Option(
        "-f",
        "--file",
        help=r"Instead of \[http] operators_file.",
        envvar="HEDGESTAT_OPERATORS_FILE",
        show_default="operators",
    ),
]
OperatorName = Annotated[str, typer.Argument(help="Stands in every action and every log.")]


def _operators_of(file: Path | None, config: Path | None) -> Path:
    """Return the file that is named, else the configured one, else the default."""
    from shared.adapters.configuration.services import HttpSettings

    if file is not None:
        return file
    return (HttpSettings() if config is None else settings_of(config).http).operators_path


@operators.command(
    "add",
    epilog="Examples:\n\n  hedgestat operators add ann -c deploy/hedges.toml\n\n"
    "  hedgestat operators add ann -f /etc/hedgestat/operators < password",
)
def operators_add(
    name: OperatorName, config: ConfigurationIfAny = None, file: OperatorsFile = None
) -> None:
    """Let somebody log in; asks for the password twice, or reads a line that is piped in."""
    from services.command.operators import add

    path = _operators_of(file, config)
    with answering():
        add(path, name, console)


@operators.command(
    "remove", epilog="Example:\n\n  hedgestat operators remove ann -c deploy/hedges.toml"
)
def operators_remove(
    name: OperatorName, config: ConfigurationIfAny = None, file: OperatorsFile = None
) -> None:
    """Let somebody log in no more; whoever is logged in is logged out."""
    from services.command.operators import remove

    path = _operators_of(file, config)
    with answering():
        remove(path, name, console)


@operators.command("list", epilog="Example:\n\n  hedgestat operators list -c deploy/hedges.toml")
def operators_list(config: ConfigurationIfAny = None, file: OperatorsFile = None) -> None:
    """List who may log in."""
    from services.command.operators import show

    path = _operators_of(file, config)
    with answering():
        show(path, console)


logins = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Make and renew the passwords with which each service logs in to broker and stores.",
    epilog="Example:\n\n  hedgestat logins make",
)
app.add_typer(logins, name="logins", rich_help_panel=PANEL)

LoginDirectory = Annotated[
    Path, typer.Option("-d", "--directory", help="Where they are.", envvar="HEDGESTAT_LOGINS")
]


@logins.command("make", epilog="Example:\n\n  hedgestat logins make -d ~/logins")
def logins_make(directory: LoginDirectory = Path("logins")) -> None:
    """Make the logins that are missing, and what the servers compare them with."""
    from services.command.access import make

    with answering():
        make(directory, console)


@logins.command("rotate", epilog="Example:\n\n  hedgestat logins rotate hedger gateway")
def logins_rotate(
    identities: Annotated[list[str], typer.Argument(help="Whose: feed, ingest, hedger …")],
    directory: LoginDirectory = Path("logins"),
) -> None:
    """Make new passwords of some identities."""
    from services.command.access import rotate

    with answering():
        rotate(directory, identities, console)


certificates = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Make and renew the servers' certificates, with an authority of our own.",
    epilog="Example:\n\n  hedgestat certificates make --name broker.example.com",
)
app.add_typer(certificates, name="certificates", rich_help_panel=PANEL)

CertificateDirectory = Annotated[Path, typer.Option("-d", "--directory", help="Where they are.")]


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

    with answering():
        make_anew(directory, servers or [], name or [], console)


@certificates.command("show", epilog="Example:\n\n  hedgestat certificates show")
def certificates_show(directory: CertificateDirectory = Path("certificates")) -> None:
    """List certificates and how long they are good; fails when one ends within 30 days."""
    from services.command.access import show

    with answering():
        if not show(directory, console):
            raise typer.Exit(1)


@app.command(rich_help_panel=PANEL, epilog="Example:\n\n  hedgestat access broker > deploy/acl")
def access(
    server: Annotated[
        str, typer.Argument(help="broker, orders, market, or both: one store in both roles.")
    ],
) -> None:
    """Print a server's access list, without passwords: who may do what."""
    from services.command.access import access_list

    with answering():
        typer.echo(access_list(server), nl=False)
