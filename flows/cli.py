"""The command line: declares the commands of `pilots`; `commands/` implements them.

Each command imports what it needs, so that `pilots --help` and a run with nothing to do start fast. Exit codes are in
`console.py`. A command's docstring is its help text.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.console import Exit, OutputFormat, echo, print_json, print_json_text, write_every_character
from flows.runtime.gc_pause import gc_paused

if TYPE_CHECKING:
    from flows.settings import Settings


app = typer.Typer(
    help="Check the pilots' monitoring returns, and answer: where did the money go, and who got and kept a job?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
NIGHTLY, SENDERS, ANALYSTS, DEMO = "The nightly run", "Senders", "Analysts", "Demonstration"  # panels of --help
Data = Annotated[Path | None, typer.Option("--data", help="The data folder (default: data, or PILOTS_DATA).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _settings(data: Path | None) -> Settings:
    from flows.settings import Settings

    try:
        return Settings.of(data)
    except ValueError as error:
        echo(f"A setting is wrong: {error}")
        raise typer.Exit(Exit.SETTINGS) from None


def _moment(text: str) -> datetime:
    """Parse a date or moment of an option. Commands take UTC and no time zone. Raises typer.Exit(2)."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo:
        echo(f"'{text}' is not a valid date: write it as 2016-12-02 or 2016-12-02T03:30 (UTC).")
        raise typer.Exit(Exit.USAGE)
    return moment


def _simulated_now(date: str) -> datetime | None:
    """The moment that a run takes as the current time; None for the clock's.

    A future one is refused: receipts dated then would bar every run until that day.
    """
    from flows.store.ledger.runs import now

    moment = _moment(date) if date else None
    if moment and moment > now():
        echo(f"A run cannot take place on {moment}: that is yet to come, and no run could take place before it.")
        raise typer.Exit(Exit.USAGE)
    return moment


@app.command(rich_help_panel=NIGHTLY)
def run(
    data: Data = None,
    date: Annotated[
        str, typer.Option(help="Run as if it were this date, such as 2016-12-02 or 2016-12-02T03:30.")
    ] = "",
    no_prefect: Annotated[bool, typer.Option("--no-prefect", help="Run the same order without Prefect.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run once: take in new files, check them, rebuild the figures, write the reports."""
    from flows.commands.run import start_run

    settings = _settings(data)
    result = start_run(settings, _simulated_now(date), with_prefect=not no_prefect)
    if as_json:
        print_json(result.to_json())
    else:
        typer.echo(result.reported.summary)
    raise typer.Exit(Exit.MUST_BE_FIXED if result.must_be_fixed else Exit.DONE)


@app.command(name="retry", hidden=True)  # the name it had before 0.3
@app.command(rich_help_panel=NIGHTLY)
def revalidate(  # parameters: the options of a command
    site: Annotated[str, typer.Option(help="Only this site, such as MHT-BPL.")] = "",
    dataset: Annotated[str, typer.Option(help="Only this dataset, such as contacts.")] = "",
    data: Data = None,
    date: Annotated[str, typer.Option(help="Run as if it were this date.")] = "",
    no_prefect: Annotated[bool, typer.Option("--no-prefect", help="Run the same order without Prefect.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be re-validated, and write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Re-validate what a changed rule, code list or correction touches. Takes in no new file."""
    from flows.commands.revalidate import find_out_of_date, in_words, run_revalidate

    settings, moment = _settings(data), _simulated_now(date)
    if dry_run:
        out_of_date = find_out_of_date(settings, moment, site, dataset)
        print_json([d.delivery_id for d in out_of_date.deliveries]) if as_json else typer.echo(out_of_date.in_words)
        for line in out_of_date.corrections_to_review:
            echo(f"To fix: {line}")
        raise typer.Exit(Exit.MUST_BE_FIXED if out_of_date.corrections_to_review else Exit.DONE)
    result = run_revalidate(settings, moment, site, dataset, with_prefect=not no_prefect)
    print_json(result.to_json()) if as_json else typer.echo(in_words(result))
    raise typer.Exit(Exit.MUST_BE_FIXED if result.must_be_fixed else Exit.DONE)


@app.command(rich_help_panel=NIGHTLY)
def withdraw(
    delivery: Annotated[str, typer.Argument(help="The delivery's id, or the name of its file.")],
    reason: Annotated[str, typer.Option(help="Why, in a sentence that holds nothing personal.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Let it back: it counts as if it had stayed.")] = False,
    data: Data = None,
    date: Annotated[str, typer.Option(help="Run as if it were this date.")] = "",
    as_json: AsJson = False,
) -> None:
    """Take a delivery out of all figures from the next run on, or let it back. Its file stays where it is."""
    from flows.commands.withdraw import record_withdrawal

    recorded = record_withdrawal(_settings(data), delivery, reason, undo=undo, moment=_simulated_now(date))
    if as_json:
        print_json({"let_back" if recorded.undone else "withdrawn": [d.delivery_id for d in recorded.deliveries]})
    else:
        typer.echo(recorded.in_words)


@app.command(rich_help_panel=NIGHTLY)
def status(data: Data = None, as_json: AsJson = False) -> None:
    """Say how the last run ended, what is published and when it was made, and which sites' figures are old."""
    from flows.commands.query import status_in_words, warehouse_status

    current = warehouse_status(_settings(data))
    print_json(current) if as_json else typer.echo(status_in_words(current))
    raise typer.Exit(Exit.SETTINGS if "problem" in current else Exit.DONE)


@app.command(rich_help_panel=SENDERS)
def check(  # parameters: the options of a command
    file: Annotated[Path, typer.Argument(help="The file to check.", exists=True, dir_okay=False)],
    site: Annotated[str, typer.Option(help="The site, where the file's name does not say it.")] = "",
    dataset: Annotated[str, typer.Option(help="The dataset, where the file's name does not say it.")] = "",
    period: Annotated[
        str, typer.Option(help="The month of the cut-off (yyyymm), where the name does not say it.")
    ] = "",
    to: Annotated[
        Path | None, typer.Option(help="Write the page, its data and the marked workbook into this folder.")
    ] = None,
    date: Annotated[str, typer.Option(help="Take it as received on this day, such as 2016-12-02 (UTC).")] = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Check one file as the run would, on any computer: no warehouse is touched."""
    with gc_paused():
        import pandera.polars  # noqa: F401 - needed by the first batch anyway; here garbage collection is paused

        from flows.commands.check import check_file
        from flows.store.paths import DataPaths

    if not file.is_file():
        echo(f"{file} is not a file.")
        raise typer.Exit(Exit.USAGE)
    in_full = sys.stdout.isatty() and not as_json and to is None
    paths = DataPaths(_settings(data).data.absolute())  # only what the site has confirmed is read there
    result = check_file(
        file, site, dataset, period, to, moment=_moment(date) if date else None, data=paths, in_full=in_full
    )
    print_json_text(result.report_json) if as_json else typer.echo(result.text)
    raise typer.Exit(Exit.MUST_BE_FIXED if result.must_be_fixed else Exit.DONE)


@app.command(rich_help_panel=SENDERS)
def template(
    dataset: Annotated[str, typer.Argument(help="The dataset, such as contacts, or `return` for all a site owes.")],
    site: Annotated[str, typer.Option(help="The site, such as MHT-BPL.")] = "",
    period: Annotated[str, typer.Option(help="The month (yyyymm), to name the file as it must be sent.")] = "",
    to: Annotated[Path | None, typer.Option(help="The workbook to write (default: here).")] = None,
) -> None:
    """Write a blank workbook to fill in: headings, lists of codes, notes and made-up examples."""
    from flows.commands.template import write_template

    typer.echo(write_template(dataset, site, period, to))


@app.command(rich_help_panel=SENDERS)
def report(
    site: Annotated[str, typer.Argument(help="The site, such as MHT-BPL; none lists every site's reports.")] = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Say where the reports of a site are."""
    from flows.commands.query import report_pages

    pages = report_pages(_settings(data), site)
    if as_json:
        print_json(pages)
    else:
        for page in pages:
            typer.echo(page)
    if not pages:
        echo(f"There are no reports{' of ' + site if site else ''} yet.")


@app.command(rich_help_panel=ANALYSTS)
def sql(
    query: Annotated[
        str, typer.Argument(help="One SELECT over core, funding, outcomes, published, quality or audit.")
    ] = "",
    form: Annotated[OutputFormat, typer.Option("-f", "--format", help="How to print the rows.")] = OutputFormat.TABLE,
    tables: Annotated[bool, typer.Option("--list", help="List every table with its meaning.")] = False,
    describe: Annotated[str, typer.Option(help="Describe one table, column by column.")] = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Ask the warehouse, read-only: nothing can be changed and nothing outside it can be reached."""
    from flows.commands.query import print_answer

    print_answer(_settings(data), query, OutputFormat.JSON if as_json else form, tables=tables, describe=describe)


@app.command(name="as-of", rich_help_panel=ANALYSTS)
def as_of(
    date: Annotated[str, typer.Argument(help="The day or moment (UTC), such as 2016-12-02.")],
    to: Annotated[Path, typer.Option(help="The DuckDB file to write.")],
    data: Data = None,
) -> None:
    """Write a warehouse of what had been received by a past day, validated by today's rules. The current one stays.

    By today's rules, code lists and corrections: it is not what was published then, where one of them changed since.
    """
    from flows.orchestration.as_of import export_as_of

    moment = _moment(date)
    if not to.absolute().parent.is_dir():
        echo(f"There is no folder {to.parent} to write {to.name} into.")
        raise typer.Exit(Exit.USAGE)
    if "T" not in date and " " not in date:  # a date without a time means the end of that day
        moment += timedelta(days=1, seconds=-1)
    number = export_as_of(_settings(data), moment, to)
    echo(f"Wrote {to} from the {number} deliveries known by {moment}." + ("" if number else " None was known then."))
    echo(
        "They are validated by today's rules, code lists and corrections. Rows about people are in it: keep it as such."
    )


@app.command(name="export-360giving", rich_help_panel=ANALYSTS)
def export_360giving(
    to: Annotated[Path, typer.Argument(help="The folder to write: a new one, or an empty one.", metavar="FOLDER")],
    sender: Annotated[
        str, typer.Option(help="Only what this sender sent, such as GRANTNAV: the grants of other funders.")
    ] = "",
    programme: Annotated[str, typer.Option(help="Only the awards of this programme, such as MHT.")] = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write the awards as a package of the 360Giving standard: JSON, CSV, and what is left out with the reason.

    Without --sender, it holds the awards that the figures of the programmes count.
    """
    from flows.commands.giving import export_grants, in_words, summary

    package = export_grants(_settings(data), to, sender, programme)
    print_json(summary(package)) if as_json else typer.echo(in_words(package, to))
    raise typer.Exit(Exit.DONE if package.grants else Exit.MUST_BE_FIXED)


@app.command(rich_help_panel=DEMO)
def simulate(  # parameters: the options of a command
    rows: Annotated[
        int, typer.Option(min=1, help="About how many contacts in the last month, over all sites.")
    ] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same files.")] = 1,
    months: Annotated[int, typer.Option(min=1, help="How many monthly deliveries of each site.")] = 2,
    fault_rate: Annotated[float, typer.Option(min=0, max=1, help="The share of rows with a planted fault.")] = 0.01,
    to: Annotated[Path | None, typer.Option(help="Where to write (default: raw in the data folder).")] = None,
    truth: Annotated[Path | None, typer.Option(help="Where to write the list of planted faults.")] = None,
    money: Annotated[bool, typer.Option(help="Whether sites send money too, at the end of each quarter.")] = True,
    trial_effect: Annotated[
        float, typer.Option(help="Percentage points more who find a job within a year, among those offered support.")
    ] = 4.0,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write made-up extracts of every site, with planted faults, a list of them, and what truly happened."""
    from dataclasses import asdict

    from flows.simulator.files.lives_files import lives_folder
    from flows.simulator.files.staging import OtherFilesPresent
    from flows.simulator.money.ledger_files import ledger_folder
    from flows.simulator.simulate import simulate as write_extracts

    settings = _settings(data)
    truth = truth or settings.data / "simulated-truth.csv"
    try:
        summary = write_extracts(
            to or settings.data / "raw", rows=rows, seed=seed, months=months, fault_rate=fault_rate,
            truth=truth, money_of=None if money else (), trial_effect=trial_effect,
        )  # fmt: skip
    except OtherFilesPresent as error:
        echo(str(error))
        raise typer.Exit(Exit.SETTINGS) from None
    if as_json:
        print_json(asdict(summary))
    else:
        echo(
            f"Wrote {summary.files} made-up files of {len(summary.sites)} sites, {summary.rows:,} rows,"
            f" {summary.faults:,} faults. The faults are listed in {truth}, the lives are in {lives_folder(truth)}."
            + (f" The true ledgers of money are in {ledger_folder(truth)}." if money else "")
        )


@app.command(rich_help_panel=DEMO)
def demo(data: Data = None, no_prefect: Annotated[bool, typer.Option("--no-prefect")] = False) -> None:
    """Write sample extracts, run once, and say what happened and where to look."""
    from flows.commands.demo import run_demo

    run_demo(_settings(data), with_prefect=not no_prefect)


def main() -> None:
    """Run the command line. A bug ends in one line and the path of a log, never in a traceback."""
    write_every_character()
    try:
        app()
    except Exception as error:  # noqa: BLE001 - a traceback could print values of a row
        from flows.commands.run import exit_code_and_message

        code, message = exit_code_and_message(error)
        echo(message)
        sys.stdout.flush()
        sys.exit(code)


if __name__ == "__main__":
    main()
