"""One page of the app under Streamlit's tester, and what its workers can be told to do instead of looking."""

from __future__ import annotations

import dataclasses
import os
import signal
import time

from builders import a_refusal
from streamlit.testing.v1 import AppTest

from wrinklecv.comparison import compare
from wrinklecv.errors import ModelError
from wrinklecv.pairs import Comparison
from wrinklecv.records import Assessment, Expression, Region
from wrinklecv.settings import DEFAULTS
from wrinklecv.ui import sight
from wrinklecv.ui.sight import Seen

_PAGE = """
if __name__ == "__main__":  # worker processes read this file too
    import streamlit as st
    from wrinklecv.ui import {page}, parts

    parts.run(st.navigation([st.Page({page}.show, title="A page", default=True)]))
"""


def opened(page: str, *, timeout_s: float = 60) -> AppTest:
    """Open the page of the module `page`: one that is a function cannot be reached by its address here."""
    return AppTest.from_string(_PAGE.format(page=page), default_timeout=timeout_s).run()


# -- in place of `sight.look_at` and its like: found by their names in the worker processes ------------

_really_look = sight.look_at


def fails(content: bytes) -> Seen:
    raise ModelError("The landmark model is not the expected file. Reinstall wrinklecv.")


def dies(content: bytes) -> Seen:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("it is dead")


def hangs(content: bytes) -> Seen:
    time.sleep(3600)
    raise AssertionError("nobody waits that long")


def eats(content: bytes) -> Seen:
    eaten = bytearray(4 * 2**30)
    raise AssertionError(f"nobody has {len(eaten)} bytes to spare")


def refuses_glabella(content: bytes) -> Seen:
    seen = _really_look(content)
    found = seen.assessment
    spoiled = dataclasses.replace(
        found,
        quality=(*found.quality, a_refusal(Region.GLABELLA)),
        lines=tuple(line for line in found.lines if line.region is not Region.GLABELLA),
        regions=tuple(measures for measures in found.regions if measures.region is not Region.GLABELLA),
    )
    return seen._replace(assessment=spoiled)


def finds_nothing(content: bytes) -> Seen:
    seen = _really_look(content)
    empty = tuple(
        dataclasses.replace(m, line_count=0, total_length_mm=0.0, wrinkle_index=0.0)
        for m in seen.assessment.regions
    )
    return seen._replace(assessment=dataclasses.replace(seen.assessment, lines=(), regions=empty))


def refuses_glabella_of_pair(rest: Assessment, expression: Assessment, name: Expression) -> Comparison:
    found = compare(rest, expression, name=name, settings=DEFAULTS)
    return dataclasses.replace(found, findings=(a_refusal(Region.GLABELLA),))
