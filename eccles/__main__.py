"""`python -m eccles` is `eccles`."""

from eccles.cli import main

main()
