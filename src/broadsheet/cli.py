"""The command line: what each command of `broadsheet` takes, does and prints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from . import __version__
from .model.audiences import AudienceError
from .model.dates import DateError
from .model.subscriptions import SubscriptionError
from .store import StoreError

if TYPE_CHECKING:
    from .model.papers import Paper
    from .search.answers import Hit
    from .store import Store

# The heavy parts (search, web) are imported by the commands that need them: `--help` is instant.

app = typer.Typer(
    name="broadsheet",
    help="The daily paper of a research community: gathers papers, sets a front page, finds them again.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
console = Console()
stderr = Console(stderr=True)

Home = Annotated[
    Path | None,
    typer.Option(
        "--home", envvar="BROADSHEET_HOME", help="Folder of everything that is stored.", show_default=False
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print JSON, as happens anyway when the output is no terminal.")
]


@contextmanager
def _workspace(home: Path | None) -> Iterator[Any]:
    """The opened home; what a person can mend is told in one line instead of a traceback."""
    from .workspace import Workspace

    workspace = Workspace.open(home)
    try:
        yield workspace
    finally:
        workspace.close()


@contextmanager
def _store(home: Path | None) -> Iterator[Store]:
    """The opened store of a home, where no search is needed."""
    from .config import load_settings
    from .store import Store

    settings = load_settings(home)
    settings.home.mkdir(parents=True, exist_ok=True)
    store = Store.open(settings.store_url)
    try:
        yield store
    finally:
        store.close()


def _fail(message: str) -> typer.Exit:
    stderr.print(f"[red]broadsheet:[/red] {message}", highlight=False, markup=True, soft_wrap=True)
    return typer.Exit(1)


def _wants_json(flag: bool) -> bool:
    return flag or not sys.stdout.isatty()


def _print_json(value: Any) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


@contextmanager
def _progress(label: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """A progress bar on the error stream: ``advance(done, total=None)`` adds ``done``."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=stderr, disable=not stderr.is_terminal) as bars:
        task = bars.add_task(label, total=total, rate="")

        def advance(done: int, total: int | None = None) -> None:
            speed = bars.tasks[task].speed
            bars.update(task, advance=done, rate=f"{speed:,.0f}/s" if speed else "")
            if total is not None:
                bars.update(task, total=total)

        yield advance


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        typer.echo(f"broadsheet {__version__}")
        raise typer.Exit()


@app.command()
def add(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Files, ids or URLs of papers; `-` reads standard input.", metavar="FILE|URL|ID..."
        ),
    ],
    home: Home = None,
    json: Json = False,
    day: Annotated[
        str | None, typer.Option(help="Day (YYYY-MM-DD) of listings whose day the input does not tell.")
    ] = None,
    later: Annotated[
        bool, typer.Option("--later", help="Leave encoding for the meaning side of search to the server.")
    ] = False,
) -> None:
    """Import papers from files of any supported format (plain or gzip), ids or URLs.

    Formats, told by content: a saved Daily Papers page (text or HTML), Daily Papers JSON, JSON lines,
    BibTeX, RIS, CSL-JSON, arXiv Atom, lists of ids and URLs. The same input twice changes nothing.
    Ends with status 1 when nothing could be read.
    """
    from .importing import add_inputs

    with _workspace(home) as workspace:
        with _progress("Reading papers") as advance:
            report = add_inputs(workspace, inputs, day, advance)
        with _progress("Indexing") as advance:
            outcome = workspace.engine.follow(workspace.store, encode=not later, progress=advance)
    if _wants_json(json):
        _print_json(report.as_json())
    else:
        console.print(
            f"{report.read:,} read: {report.new:,} new, {report.updated:,} updated, "
            f"{report.unchanged:,} unchanged, {len(report.rejected):,} rejected"
        )
        for rejection in report.rejected[:20]:
            console.print(f"  {rejection.where}: {rejection.why}", markup=False, highlight=False)
        if len(report.rejected) > 20:
            console.print(f"  and {len(report.rejected) - 20:,} more; --json lists all")
        if outcome.message:
            console.print(outcome.message, markup=False)
    if report.rejected and report.read == len(report.rejected):
        raise typer.Exit(1)


@app.command()
def gather(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Sources, such as `arxiv` or `feed`; without names, all that the settings configure.",
            metavar="[SOURCE]...",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="Fetch everything from this day (YYYY-MM-DD) on. Runs for days where need be; stopped "
            "(Ctrl-C) and started again it goes on where it was."
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Begin what `--since` had begun or completed anew.")
    ] = False,
    later: Annotated[
        bool, typer.Option("--later", help="Leave indexing to the server, or to the next command.")
    ] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Fetch what is new from the sources, each at the pace that it asks for.

    A running server does this by itself. Ends with status 1 when a source failed; what came before is
    stored, and the others are gathered all the same.
    """
    from .gathering import UnknownSource
    from .gathering.command import gather_sources
    from .model.dates import day

    first = day(since) if since else None
    if since and not names:
        raise _fail("--since needs names: broadsheet gather arxiv --since 2020-01-01")
    with _workspace(home) as workspace:
        try:
            with _bars() as advance:
                gathered = gather_sources(workspace, names or [], since=first, again=again, progress=advance)
        except UnknownSource as error:
            raise _fail(str(error)) from error
        for problem in gathered.problems:
            stderr.print(problem, markup=False, highlight=False)
        if not later and not gathered.stopped:
            with _progress("Indexing") as advance:
                workspace.engine.follow(workspace.store, progress=advance)
    if _wants_json(json):
        _print_json(gathered.as_json())
    else:
        for told in gathered.sources:
            console.print(
                f"{told.source}: {told.read:,} read: {told.new:,} new, {told.updated:,} updated, "
                f"{told.unchanged:,} unchanged, {told.rejected:,} rejected"
                + (f" ({told.state})" if told.state != "done" else ""),
                markup=False,
                highlight=False,
            )
            for rejection in told.rejections[:5]:
                console.print(f"  {rejection.where}: {rejection.why}", markup=False, highlight=False)
            if told.problem:
                console.print(f"  {told.problem}", markup=False, highlight=False)
    if gathered.stopped:
        raise KeyboardInterrupt
    if gathered.failed:
        raise typer.Exit(1)


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int | None], None]]:
    """A progress bar for each source on the error stream: ``advance(source, done, expected)``."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=stderr, disable=not stderr.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def advance(source: str, done: int, expected: int | None) -> None:
            if source not in tasks:
                tasks[source] = bars.add_task(source, total=expected)
            bars.update(tasks[source], advance=done, total=expected)

        yield advance


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="Words, a question, a title, an id or a URL.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many results.")] = 10,
    home: Home = None,
    json: Json = False,
) -> None:
    """Find papers by meaning and by words."""
    with _workspace(home) as workspace:
        # What was imported since the last search is found at once by its words.
        workspace.engine.follow(workspace.store, encode=False)
        answer = workspace.engine.search(query, limit=limit, extras=True)
        found = [key for hit in answer.hits for key in (hit.key, *hit.folded)]
        papers = {paper.key: paper for paper in workspace.store.papers(found)}
    results = [_result(papers[hit.key], hit, papers) for hit in answer.hits if hit.key in papers]
    if _wants_json(json):
        _print_json(results)
    else:
        for number, result in enumerate(results, 1):
            _print_result(number, result)
        if not results:
            console.print("Nothing found.")
    for note in answer.notes:
        stderr.print(note, markup=False, highlight=False)
    if answer.did_you_mean:
        stderr.print(f"Did you mean: {answer.did_you_mean}", markup=False, highlight=False)


def _result(paper: Paper, hit: Hit, papers: dict[int, Paper]) -> dict[str, Any]:
    """``paper`` and why ``hit`` found it, as ``--json`` prints it; ``papers`` holds the folded ones."""
    from .web.highlight import nearest_sentence

    nearest = nearest_sentence(paper, hit)
    return {
        "id": paper.id,
        "title": paper.title,
        "score": round(hit.score, 4),
        "words": None if hit.words is None else round(hit.words, 4),
        "meaning": None if hit.meaning is None else round(hit.meaning, 4),
        "reason": hit.reason,
        "nearest_sentence": paper.abstract[slice(*nearest)] if nearest else None,
        "folded": [papers[key].id for key in hit.folded if key in papers],
        "published": paper.published,
        "authors": [author.name for author in paper.authors],
        "upvotes": paper.upvotes,
    }


_REASONS = {"id": "This is the paper of that id.", "title": "This is its title.", "filters": ""}


def _print_result(number: int, result: dict[str, Any]) -> None:
    """One result for people: its title, why it was found, and the sentence that answers the query."""
    shares = [f"{name} {result[name]:.2f}" for name in ("words", "meaning") if result[name] is not None]
    why = f"By {result['reason']}: {result['score']:.2f} ({', '.join(shares)})."
    lines = [
        ", ".join(filter(None, (result["id"], (result["published"] or "")[:10]))),
        _REASONS.get(result["reason"], why),
        f"“{' '.join(result['nearest_sentence'].split())}”" if result["nearest_sentence"] else "",
        f"Much like it: {', '.join(result['folded'])}" if result["folded"] else "",
    ]
    console.print(Text(f"{number:>3}  ") + Text(result["title"], style="bold"))
    for line in filter(None, lines):
        console.print(Padding(Text(line), (0, 0, 0, 5)))


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to serve on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port to serve on.", show_default="8000")
    ] = None,
    papers: Annotated[
        list[str] | None, typer.Option(help="File to import first, instead of the starter edition.")
    ] = None,
    home: Home = None,
) -> None:
    """Serve the site and the API; an empty home first gets the starter edition."""
    from .serving import serve_workspace

    with _workspace(home) as workspace:
        host, port = host or workspace.settings.host, port or workspace.settings.port
        if papers:
            from .importing import add_inputs

            with _progress("Reading papers") as advance:
                report = add_inputs(workspace, papers, None, advance)
            for rejection in report.rejected[:20]:
                stderr.print(f"{rejection.where}: {rejection.why}", markup=False, highlight=False)
            if report.read == len(report.rejected):
                raise _fail("no paper could be read from " + ", ".join(papers))
        serve_workspace(workspace, host, port, announce=lambda line: stderr.print(line, highlight=False))


@app.command(name="eval")
def evaluate(
    folders: Annotated[
        list[Path],
        typer.Argument(help="Folders with corpus.jsonl, queries.jsonl and qrels.tsv.", metavar="DIR..."),
    ],
    side: Annotated[
        str, typer.Option(help="`both`, or `words` or `meaning` alone: short for `--set side=...`.")
    ] = "both",
    changed: Annotated[
        list[str] | None,
        typer.Option("--set", help="Setting of the engine to measure: NAME=VALUE; may be repeated."),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            help="Setting to compare with, query by query: NAME=VALUE, a side, or `default`; may be repeated."
        ),
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(help="Home among whose papers is searched; it stays as it is.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Measure search on judged queries (BEIR form) through the real engine, or compare two settings of it.

    Everything happens in a temporary home. With `--home` the documents are put among the papers of a
    copy of that home; a folder without corpus.jsonl names papers of the home by their ids.
    """
    from .search.evaluation import EvaluationError, Setting, measured, report

    try:
        settings = [Setting.parse([f"side={side}", *(changed or ())])]
        if against:
            settings.append(Setting.parse(against))
        runs = []
        for folder in folders:
            with _progress(f"Indexing {folder.name}") as advance:
                runs.append(measured(folder, settings, home=home, progress=advance))
    except EvaluationError as error:
        raise _fail(str(error)) from error
    if against:
        told, text = report.as_json(runs), report.as_text(runs)
    else:
        figures = {str(folder): run.figures for folder, (run,) in zip(folders, runs, strict=True)}
        told = {"sets": figures} if len(folders) > 1 else figures[str(folders[0])]
        text = report.figures_as_text(figures)
    if _wants_json(json):
        _print_json(told)
    else:
        typer.echo(text)


@app.command()
def subscribe(
    address: Annotated[
        str,
        typer.Argument(
            help="E-mail address, or where a channel brings it: a room's or webhook's address.",
            metavar="EMAIL",
        ),
    ],
    daily: Annotated[bool, typer.Option("--daily", help="Every day; the default.")] = False,
    weekly: Annotated[bool, typer.Option("--weekly", help="Once a week, on Monday or --on.")] = False,
    on: Annotated[
        str | None, typer.Option("--on", help="On these weekdays: `mon,wed,fri`.", metavar="DAYS")
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", help="What a search finds, in the query language.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="A category or archive: `cs.CV`, `cs`.")] = None,
    topic: Annotated[str | None, typer.Option(help="What a sentence is about, found by meaning.")] = None,
    hour: Annotated[int, typer.Option(help="Hour of the day, 0 to 23, in the zone.")] = 7,
    zone: Annotated[str, typer.Option(help="Time zone, as `Europe/Berlin`.")] = "UTC",
    channel: Annotated[
        str, typer.Option(help="mail, slack, discord, mattermost, matrix, telegram or webhook.")
    ] = "mail",
    confirmed: Annotated[
        bool,
        typer.Option("--confirmed", help="The person has agreed: no mail asks them to confirm."),
    ] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Bring editions to an address: the front page, or what a search, category or topic is about.

    Without --confirmed an address of mail is asked first. The same again changes the schedule only.
    """
    from .delivery.subscribing import subscription_for

    frequency = "weekly" if weekly else "days" if on else "daily"
    if daily and frequency != "daily":
        raise _fail("choose one of --daily, --weekly and --on")
    with _workspace(home) as workspace:
        about = {"search": search, "category": category, "topic": topic}
        wanted = subscription_for(
            workspace.settings, channel, address, about, frequency, on or "", hour, zone
        )
        # Rooms and webhooks belong to whoever knows their address.
        stored = workspace.store.subscribe(wanted, confirmed or channel != "mail")
        note = "" if stored.state != "pending" else _asked(workspace.settings, stored)
        if channel == "webhook":
            note = f"What is posted is signed with the secret {_webhook_secret(workspace.settings, stored)}"
    if _wants_json(json):
        told = ("id", "channel", "address", "frequency", "hour", "zone", "state")
        values = {name: getattr(stored, name) for name in told}
        _print_json({**values, "days": list(stored.days), "audience": stored.audience.key, "note": note})
    else:
        console.print(f"{stored.address}: {stored.words} ({stored.state})", markup=False, highlight=False)
        if note:
            console.print(note, markup=False, highlight=False)


def _webhook_secret(settings: Any, stored: Any) -> str:
    from .delivery.chat import secret_of
    from .delivery.signed import Signer

    return secret_of(Signer.of_home(settings.home).secret, stored)


def _asked(settings: Any, stored: Any) -> str:
    """What came of asking ``stored`` to confirm."""
    from .delivery.asking import ask_to_confirm
    from .delivery.channels import Sent
    from .delivery.digest import site_address

    try:
        answer = ask_to_confirm(settings, site_address(settings), stored, stored.words)
    except ValueError as error:
        return f"It waits for confirmation, and no mail could ask for it: {error}"
    if answer is None:
        return "It waits for confirmation, and no mail server is configured to ask; see BROADSHEET_SMTP_URL."
    if isinstance(answer, Sent):
        return "A mail asks for confirmation; its link begins the editions."
    return f"It waits for confirmation, and the mail that asks for it was not taken: {answer.reason}"


@app.command()
def digest(
    now: Annotated[bool, typer.Option("--now", help="Today's editions, whatever their hour.")] = False,
    day: Annotated[
        str | None, typer.Option(help="The editions of this day (YYYY-MM-DD), with just its own news.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show; store and send nothing.")] = False,
    address: Annotated[
        str | None, typer.Option("--for", help="With --dry-run: what this address would get, and why.")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Compose the editions that are due and send them; what was sent is not sent again.

    A running server does this by itself. Without --now or --day those are due whose hour has come, so that
    cron may run it every few minutes. Ends with status 1 when nothing can be sent.
    """
    from datetime import date

    from .model.dates import day as checked_day

    chosen = date.fromisoformat(checked_day(day)) if day else None
    if address and not dry_run:
        raise _fail("--for shows what an address would get; add --dry-run")
    if address:
        _show_previews(home, address, chosen, json)
        return
    with _workspace(home) as workspace:
        report = _digested(workspace, now, chosen, dry_run)
    if _wants_json(json):
        _print_json({**report.as_json(), "dry_run": dry_run})
    else:
        sent = report.sent
        console.print(
            f"{report.day}: {report.due:,} due, {report.composed.queued:,} with papers; "
            f"{sent.sent:,} sent, {sent.retry:,} to try again, {sent.failed:,} failed"
        )
        told = [f"{number:,} not sent: {why}" for why, number in report.composed.skipped.items()]
        told += [f"{number:,}: {why}" for why, number in sent.problems.items()]
        for line in (*told, *report.notes):
            console.print(f"  {line}", markup=False, highlight=False)
    if report.sent.away:
        raise _fail(f"{report.sent.away}; what waits is sent by the next digest, or by the server")


def _digested(workspace: Any, now: bool, day: Any, dry_run: bool) -> Any:
    from .delivery.digest import NO_MAIL_SERVER, Delivery, DeliveryError, planned
    from .gathering.leases import is_dead, worker

    settings, store, engine = workspace.settings, workspace.store, workspace.engine
    if dry_run:
        return planned(store, settings, engine, today=now, day=day)
    try:
        delivery = Delivery(store, settings, engine, f"{worker()}/digest", dead=is_dead)
    except DeliveryError as error:
        raise _fail(str(error)) from error
    no_mail = "mail" not in delivery.channels and store.subscriptions(channel="mail", state="active", limit=1)
    if no_mail and not delivery.due(today=now, day=day):
        raise _fail(NO_MAIL_SERVER)
    report = delivery.deliver(today=now, day=day)
    report.notes += [NO_MAIL_SERVER] if no_mail else []
    return report


def _show_previews(home: Path | None, address: str, day: Any, json: bool) -> None:
    from .delivery.digest import previews

    with _workspace(home) as workspace:
        workspace.engine.follow(workspace.store)
        found = previews(workspace.store, workspace.settings, workspace.engine, address, day)
    if _wants_json(json):
        _print_json([preview.as_json() for preview in found])
        return
    for preview in found:
        console.print(Text(f"{preview.subscription.words}, for {preview.slot}", style="bold"))
        if preview.not_sent:
            console.print(f"  Not sent: {preview.not_sent}", markup=False, highlight=False)
        if preview.incomplete and preview.incomplete != preview.not_sent:
            console.print(f"  {preview.incomplete}", markup=False, highlight=False)
        for paper in preview.papers:
            line = f"{paper['place']:>3}  {paper['title']} ({paper['id']}, {paper['news']})"
            console.print(line, markup=False, highlight=False)
            for reason in paper["reasons"]:
                console.print(Padding(Text(reason), (0, 0, 0, 5)))


@app.command()
def bounces(
    source: Annotated[
        str | None,
        typer.Argument(help="A message or mbox file, a Maildir, or `-` for standard input.", metavar="FILE"),
    ] = None,
    lift: Annotated[
        str | None, typer.Option("--lift", help="Send to this address again.", metavar="EMAIL")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Take in mails that came back: addresses that are gone and readers who complained get nothing more.

    Without FILE the mailbox of BROADSHEET_BOUNCES_URL is read, as a running server does by itself.
    """
    from .config import load_settings
    from .delivery.mail.inbox import Inbox, InboxError
    from .delivery.mail.returned import from_maildir, from_mbox, take_in

    with _store(home) as store:
        if lift:
            if not store.unsuppress(lift):
                raise _fail(f"{lift} is not among the addresses that nothing is sent to")
            told = {"lifted": lift}
        else:
            url = load_settings(home).bounces_url
            if source is None and not url:
                raise _fail("name a file, a Maildir or -, or set BROADSHEET_BOUNCES_URL")
            if source is None:
                try:
                    report = take_in(store, Inbox.of(url).unread())
                except InboxError as error:
                    raise _fail(str(error)) from error
            elif source != "-" and Path(source).is_dir():
                report = take_in(store, from_maildir(Path(source)), trusted=True)
            else:
                data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
                report = take_in(store, from_mbox(data), trusted=True)
            told = report.as_json()
    if _wants_json(json):
        _print_json(told)
    elif lift:
        console.print(f"{lift} gets mail again.", markup=False, highlight=False)
    else:
        console.print(
            f"{told['read']:,} read: {told['hard']:,} hard, {told['soft']:,} soft, {told['complaints']:,} "
            f"complaints, {told['unknown']:,} of mails not sent here, {told['other']:,} no notifications; "
            f"{told['suppressed']:,} addresses get nothing more"
        )


@app.command()
def reindex(home: Home = None, json: Json = False) -> None:
    """Throw the search index away and build it anew from the store."""
    with _workspace(home) as workspace:
        with _progress("Indexing") as advance:
            workspace.engine.reindex(progress=advance)
        state = workspace.engine.state()
    if _wants_json(json):
        _print_json(state.as_json())
    else:
        console.print(f"{state.words:,} papers are found by words, {state.vectors:,} by meaning.")


@app.command()
def doctor(home: Home = None, json: Json = False) -> None:
    """Check every part and say what to do about what is amiss; ends with status 1 if anything is."""
    from .doctor import examine

    with _workspace(home) as workspace:
        findings = examine(workspace)
    if _wants_json(json):
        _print_json([finding.as_json() for finding in findings])
    else:
        for finding in findings:
            mark = "[green]ok[/green]   " if finding.ok else "[red]amiss[/red]"
            console.print(f"{mark} {finding.part}: ", finding.message, end="", markup=True, highlight=False)
            console.print()
            if finding.remedy:
                console.print(f"      {finding.remedy}", markup=False)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write, for example broadsheet.zip.")],
    with_index: Annotated[
        bool,
        typer.Option(
            "--with-index", help="Also the encoded vectors, which take hours to make on a large home."
        ),
    ] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write everything that is stored, and the settings, to one file; the server may go on meanwhile."""
    from .backup import back_up
    from .config import load_settings

    with _progress("Backing up") as advance:
        written = back_up(load_settings(home), file, with_index=with_index, progress=advance)
    if _wants_json(json):
        _print_json(written.as_json())
    else:
        console.print(f"{written.file}: {written.papers:,} papers, {written.bytes:,} bytes", highlight=False)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `broadsheet backup` wrote.")],
    home: Home = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Also where papers are stored; what is there is kept under another name."
        ),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only read the backup and compare it with its checksums.")
    ] = False,
    json: Json = False,
) -> None:
    """Fill an empty home and its database (SQLite or PostgreSQL) from a backup; stop the server before."""
    from .backup import Backup
    from .backup import restore as restored_into
    from .config import load_settings

    with Backup(file) as opened:
        with _progress("Checking") as advance:
            opened.check(advance)
        if check:
            told = {"file": str(file), "whole": True, **opened.told()}
            _print_json(told) if _wants_json(json) else console.print(f"{file} is whole.", highlight=False)
            return
        with _progress("Restoring") as advance:
            done = restored_into(load_settings(home), opened, force=force, progress=advance)
    if _wants_json(json):
        _print_json(done.as_json())
        return
    console.print(f"{done.papers:,} papers are in {done.home} ({done.database}).", highlight=False)
    for note in done.notes:
        console.print(note, markup=False, highlight=False)


@app.command()
def merge(
    papers: Annotated[
        list[str] | None,
        typer.Argument(
            help="Ids of two papers that are one: the first takes in the second.", metavar="[ID ID]"
        ),
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="List what was brought together, of one paper or of all.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for those who look at the list.")] = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Bring two papers together, or list what was brought together by imports and editors."""
    given = papers or []
    if len(given) not in ((0, 1) if listed else (2,)):
        raise _fail("name two papers, the one that stays first; or: broadsheet merge --list [ID]")
    with _store(home) as store:
        if not listed:
            number = store.merge(*given, reason)
            told = {"merge": number, "id": store.paper(given[0]).id}
            if _wants_json(json):
                _print_json(told)
            else:
                console.print(
                    f"Merge {number}: all of it is {told['id']} now.", markup=False, highlight=False
                )
            return
        found = store.merges(*given)
    if _wants_json(json):
        _print_json([asdict(one) for one in found])
        return
    for one in found:
        what = f"{one.dropped} ({', '.join(one.sources)})" if one.dropped else ", ".join(one.sources)
        by = ", ".join(filter(None, (one.source, one.where, one.reason)))
        undone = f"; undone {one.undone[:10]}" if one.undone else ""
        console.print(Text(f"{one.number:>5}  {one.at[:10]}  {what} is {one.paper or 'gone'}{undone}"))
        console.print(Padding(Text(f"{one.title}\nby {by}"), (0, 0, 0, 7)))
    if not found:
        console.print("Nothing was brought together.")


@app.command()
def split(
    paper: Annotated[str, typer.Argument(help="Id of what was merged by mistake.", metavar="ID")],
    other: Annotated[
        str | None,
        typer.Argument(help="Id of another paper: only note that the two are not the same.", metavar="ID"),
    ] = None,
    number: Annotated[int | None, typer.Option("--merge", help="Undo the merge of this number.")] = None,
    source: Annotated[str | None, typer.Option(help="Take out all that this source told.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Take a paper apart that was merged by mistake; no import brings the two together again."""
    with _store(home) as store:
        if other is not None:
            store.keep_apart(paper, other)
            told = [store.paper(paper).id, store.paper(other).id]
        else:
            told = list(store.split(paper, number, source))
    if _wants_json(json):
        _print_json({"papers": told})
    else:
        console.print(f"{told[0]} and {told[1]} are two papers and stay so.", markup=False, highlight=False)


@app.command()
def conflicts(
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="How many, newest first.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """List pairs of papers that may be one, or of which one has what is the other's.

    `broadsheet merge` or `broadsheet split` with both ids decides, and the pair is not listed again.
    """
    with _store(home) as store:
        found = store.conflicts(limit)
    if _wants_json(json):
        _print_json([asdict(one) for one in found])
        return
    for one in found:
        console.print(Text(f"{one.one[0]}  and  {one.other[0]}: {one.reason}"))
        titles = dict.fromkeys((one.one[1], one.other[1]))
        console.print(Padding(Text("\n".join((*titles, f"{one.source}, {one.where}"))), (0, 0, 0, 5)))
    if not found:
        console.print("Nothing needs to be looked at.")


def main() -> None:
    """The entry point: errors that a person can mend are one line, not a traceback."""
    try:
        app()
    except (StoreError, DateError, SubscriptionError, AudienceError, OSError) as error:
        _fail(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        stderr.print("Stopped. What was stored stays; the same command goes on where this one ended.")
        sys.exit(130)


if __name__ == "__main__":
    main()
