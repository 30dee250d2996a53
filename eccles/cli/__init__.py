"""The command line: `eccles beats`, `eccles run`, `eccles show`, `eccles doctor`, `eccles cache`."""


def main() -> None:
    """Run the command line; Typer and Rich are imported here and not before."""
    from eccles.cli.commands import app

    app()
