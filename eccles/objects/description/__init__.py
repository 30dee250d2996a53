"""A network as data, without the script that made it, and back.

`describe` notes what the public constructors of all objects were given, what names in model text stand for,
and the state; `rebuild` calls these constructors again. The text of a description is made for JSON, its
arrays for an NPZ archive. Nothing in it is ever executed but the model text, which our own parsers read.

Monitors are left out: who runs a rebuilt network says anew what is recorded.
"""

from eccles.objects.description.branch import branched
from eccles.objects.description.form import Description
from eccles.objects.description.reader import rebuild
from eccles.objects.description.writer import describe

__all__ = ["Description", "branched", "describe", "rebuild"]
