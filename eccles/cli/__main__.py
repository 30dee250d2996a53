"""`python -m eccles.cli` is `eccles`."""

from eccles.cli import main

main()
