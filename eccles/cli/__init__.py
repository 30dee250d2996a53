"""The command line: `eccles beats`, `lab`, `run`, `sweep`, `show`, `doctor`, `cache`."""


def main() -> None:
    """Run the command line; Typer and Rich are imported here and not before."""
    from eccles.cli.commands import app

    app()
