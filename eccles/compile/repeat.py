"""A native loop that runs a program again and again, each time from the same memory but for some words.

The only code that is written as LLVM IR by hand: it calls a program through its address, for which our own
IR has no word. What it does, in Python:

    for c in range(n):
        image[:] = template
        for patch in patches:       # destination, words, source, row of each repetition
            destination[:words] = source[row[c]*words : (row[c] + 1)*words]
        codes[c] = run(table)
        for output in outputs:      # source, words, destination
            destination[c*words : (c + 1)*words] = source[:words]
    return 0

All sizes are in words of 8 bytes. The arguments come as one array of words, in the order of `WORDS`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

__all__ = ["repeat"]

WORDS = (
    "run",
    "table",
    "image",
    "template",
    "words",
    "n",
    "n_patches",
    "patches",
    "n_outputs",
    "outputs",
    "codes",
)

_TEXT = """
define private void @copy(ptr %to, ptr %from, i64 %words) {
entry:
  br label %test
test:
  %k = phi i64 [ 0, %entry ], [ %next, %body ]
  %more = icmp slt i64 %k, %words
  br i1 %more, label %body, label %done
body:
  %source = getelementptr i64, ptr %from, i64 %k
  %target = getelementptr i64, ptr %to, i64 %k
  %word = load i64, ptr %source
  store i64 %word, ptr %target
  %next = add i64 %k, 1
  br label %test
done:
  ret void
}

define i64 @repeat(ptr %args) {
entry:
ARGUMENTS
  br label %each
each:
  %c = phi i64 [ 0, %entry ], [ %c.next, %after ]
  %going = icmp slt i64 %c, %n
  br i1 %going, label %begin, label %end
begin:
  call void @copy(ptr %image, ptr %template, i64 %words)
  br label %patching
patching:
  %p = phi i64 [ 0, %begin ], [ %p.next, %patch ]
  %p.more = icmp slt i64 %p, %n_patches
  br i1 %p.more, label %patch, label %call
patch:
  %p.at = mul i64 %p, 4
  %p0 = getelementptr i64, ptr %patches, i64 %p.at
  %p1 = getelementptr i64, ptr %p0, i64 1
  %p2 = getelementptr i64, ptr %p0, i64 2
  %p3 = getelementptr i64, ptr %p0, i64 3
  %p.to = load ptr, ptr %p0
  %p.words = load i64, ptr %p1
  %p.source = load ptr, ptr %p2
  %p.rows = load ptr, ptr %p3
  %p.row.at = getelementptr i64, ptr %p.rows, i64 %c
  %p.row = load i64, ptr %p.row.at
  %p.offset = mul i64 %p.row, %p.words
  %p.from = getelementptr i64, ptr %p.source, i64 %p.offset
  call void @copy(ptr %p.to, ptr %p.from, i64 %p.words)
  %p.next = add i64 %p, 1
  br label %patching
call:
  %code = call i64 %run(ptr %table)
  %code.at = getelementptr i64, ptr %codes, i64 %c
  store i64 %code, ptr %code.at
  br label %reading
reading:
  %o = phi i64 [ 0, %call ], [ %o.next, %read ]
  %o.more = icmp slt i64 %o, %n_outputs
  br i1 %o.more, label %read, label %after
read:
  %o.at = mul i64 %o, 3
  %o0 = getelementptr i64, ptr %outputs, i64 %o.at
  %o1 = getelementptr i64, ptr %o0, i64 1
  %o2 = getelementptr i64, ptr %o0, i64 2
  %o.from = load ptr, ptr %o0
  %o.words = load i64, ptr %o1
  %o.start = load ptr, ptr %o2
  %o.offset = mul i64 %c, %o.words
  %o.to = getelementptr i64, ptr %o.start, i64 %o.offset
  call void @copy(ptr %o.to, ptr %o.from, i64 %o.words)
  %o.next = add i64 %o, 1
  br label %reading
after:
  %c.next = add i64 %c, 1
  br label %each
end:
  ret i64 0
}
"""

_POINTERS = {"run", "table", "image", "template", "patches", "outputs", "codes"}


def _text() -> str:
    lines = []
    for k, word in enumerate(WORDS):
        kind = "ptr" if word in _POINTERS else "i64"
        lines.append(f"  %{word}.at = getelementptr i64, ptr %args, i64 {k}")
        lines.append(f"  %{word} = load {kind}, ptr %{word}.at")
    return _TEXT.replace("ARGUMENTS", "\n".join(lines))


@cache
def _native() -> Any:
    from eccles.compile.pipeline import compile_text

    return compile_text("repeat", _text())


def repeat(**arguments: int) -> None:
    """Run the loop; arguments are addresses and numbers, by the names in `WORDS`."""
    values = np.array([arguments[word] for word in WORDS], np.int64)
    _native()(values.ctypes.data)
