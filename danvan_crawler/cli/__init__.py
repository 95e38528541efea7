"""The `danvan` command: one module per subcommand, imported only when it is used.

Importing Scrapy and SQLAlchemy takes most of a second; `danvan --help` needs neither.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import click

from danvan_crawler import __version__
from danvan_crawler.cli import streams
from danvan_crawler.exceptions import DanvanError, ExitCode

COMMANDS = {
    "demo": "Crawl the bundled sample portal and show the result.",
    "crawl": "Crawl sites into the archive.",
    "status": "Report the state of the sites, and what to do about problems.",
    "schedule": "Print or install the nightly crawl.",
    "sites": "List the sites, or show one's profile.",
    "search": "Search articles.",
    "show": "Show one article with its revisions and captures.",
    "changes": "List articles that are new, edited, gone or back.",
    "capture": "Print a WARC record, or save its payload.",
    "export": "Export articles as JSONL or CSV.",
    "dates": "Read date lines as the crawler reads them.",
    "export-warc": "Write a site as one WARC file that needs no other.",
    "import-warc": "Import WARC files of other tools.",
    "suppress": "Hide an article, or show it again.",
    "replay": "Look at the archive in a browser.",
    "wacz": "Pack a site as one WACZ file.",
    "bagit": "Pack a site as a BagIt bag.",
    "rebuild": "Make the item database again from the WARC files.",
    "migrate": "Migrate the item database, or go back.",
    "verify": "Check WARC files, indexes, and the records behind the items.",
    "fixture": "Record a page as a test fixture.",
}
"""Name and summary of each command, in the order of the help. Module `danvan_crawler.cli.<name>` has `command`."""


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"danvan_crawler.cli.{cmd_name.replace('-', '_')}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader (head, less) has closed the pipe, which is not an error.
            streams.forget_stdout()
            return ExitCode.OK
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="danvan")
def cli() -> None:
    """Crawl Vietnamese provincial Party sites into WARC, and read them as a feed of articles.

    Start with `danvan demo`. Data goes to stdout, everything else to stderr.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: runs a command and exits with an ExitCode."""
    streams.prepare()
    try:
        code = cli.main(arguments, prog_name="danvan", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except click.Abort:
        sys.exit(ExitCode.INTERRUPTED)
    except DanvanError as error:
        print(f"danvan: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.filename != streams.STDOUT:
            raise
        streams.forget_stdout()
        print(f"danvan: stdout cannot be written: {error.strerror}", file=sys.stderr)
        sys.exit(ExitCode.ERROR)
    sys.exit(int(code) if isinstance(code, int) else ExitCode.OK)
