"""Text that comes from data is shown as text: held by a look at the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from wrinklecv.ui import parts

PAGES = sorted(Path(parts.__file__).parent.glob("*.py"))
SHOW = {
    *("markdown", "caption", "title", "header", "subheader", "write", "info", "warning", "error", "success"),
    *("metric", "button", "download_button", "form_submit_button", "link_button", "page_link", "toast"),
    *("toggle", "checkbox", "radio", "selectbox", "multiselect", "segmented_control", "expander", "popover"),
    *(
        "tabs",
        "text_input",
        "text_area",
        "number_input",
        "date_input",
        "file_uploader",
        "progress",
        "spinner",
    ),
    *("table", "status", "slider", "pills", "badge", "exception", "feedback", "dialog"),
}
"""What Streamlit reads as Markdown: text, labels, cells of st.table."""
SILENT = {"key", "alt", "options", "format_func", "mime", "file_name", "data", "placeholder", "column_config"}
"""Arguments that are no Markdown."""
MADE_SAFE = {
    *(
        "md",
        "plain",
        "plus_minus",
        "len",
        "lines_in_words",
        "finding_text",
        "because",
        "interval_text",
        "round",
    ),
    *(
        "day_text",
        "days_text",
        "noise_text",
        "_photos",
        "signed",
        "verdict_badge",
        "laid_words",
        "say_noise",
        "_about",
        "_photo_days",
        "_since",
        "_no_baseline",
    ),
    *("_counted", "_fate"),  # these pass what came from data through md themselves
}
"""Functions whose answers are escaped, numbers, or words of our own."""
KNOWN = {
    # Numbers and digests.
    *("DEFAULTS.digest", "__version__", "assessment.measure_version", "assessment.settings_digest"),
    *("assessment.model_sha256[:12]", "assessment.photo_sha256[:12]", "rest.measure_version", "digest"),
    *("rest.settings_digest", "rest.model_sha256[:12]", "rest.photo_sha256[:12]"),
    *("expression.photo_sha256[:12]", "line.kind", "done", "total", "number"),
    # Words of our own: one of a few constants.
    *("f'- {words}' for words in CANNOT_TELL", "source", "missing", "icon", "rest", "expression", "sure"),
    *("one.title", "one.words", "one.code", "', '.join(names)", "share_text", "length"),
    *("when", "instead", "chips", "untreated", "share", "', '.join(hidden)"),
    # Markdown that was made with md a few lines above.
    *(
        "(laid_words(view), _stops_words(found, chosen))",
        "asked.rest.title",
        "asked.expression.title",
        "title",
        "name",
        "which",
        "code",
    ),
}


def faults(code: str) -> Iterator[str]:
    """Yield what an f-string, a sum or a format puts into a text call without `md`."""
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr not in SHOW:
            continue
        given = [*node.args, *(word.value for word in node.keywords if word.arg not in SILENT)]
        for argument in given:
            for value in pieces(argument):
                if not is_safe(value):
                    yield f"line {value.lineno}: {node.func.attr}(… {ast.unparse(value)} …)"


def pieces(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what is put between the constant texts of an expression."""
    if isinstance(node, ast.FormattedValue):
        if node.format_spec is None:
            yield node.value
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from pieces(part)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        for side in (node.left, node.right):
            yield from pieces(side) if isinstance(side, ast.BinOp | ast.JoinedStr) else (side,)
    elif isinstance(node, ast.IfExp):
        yield from pieces(node.body)
        yield from pieces(node.orelse)
    elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("format", "join"):
        yield from node.args


def is_safe(value: ast.expr) -> bool:
    if ast.unparse(value) in KNOWN or isinstance(value, ast.Constant):
        return True
    if isinstance(value, ast.JoinedStr):
        return all(map(is_safe, pieces(value)))
    if isinstance(value, ast.IfExp):
        return is_safe(value.body) and is_safe(value.orelse)
    if isinstance(value, ast.GeneratorExp):
        return ast.unparse(value).strip("()") in KNOWN
    name = value
    if isinstance(name, ast.Call):
        if isinstance(name.func, ast.Attribute) and name.func.attr in ("lower", "capitalize"):
            return is_safe(name.func.value)
        called = name.func.attr if isinstance(name.func, ast.Attribute) else ast.unparse(name.func)
        return called in MADE_SAFE
    if isinstance(name, ast.Subscript):
        name = name.value
    return (
        isinstance(name, ast.Name | ast.Attribute)
        and ast.unparse(name).rpartition(".")[2].lstrip("_").isupper()
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_text_from_data_is_shown_without_being_escaped(path: Path) -> None:
    assert not list(faults(path.read_text("utf-8")))


@pytest.mark.parametrize(
    "code",
    [
        'st.markdown(f"Photo {photo.name}")',
        'left.button("Delete " + subject.code)',
        'st.metric(f"{one.product}", 1)',
        'st.caption("Of %s" % notes)',
        'st.write("Of {}".format(notes))',
        'st.error(f"{md(a)} {error}")',
        'st.success("x" if ok else f"{notes}")',
        'st.text_input("Code", help=f"Not {subject.code}")',
        'st.info(", ".join(products))',
    ],
)
def test_the_look_at_the_code_sees_what_is_not_escaped(code: str) -> None:
    assert list(faults(code))


@pytest.mark.parametrize(
    "code",
    ['st.markdown(f"Photo {md(name)}, {size:.1f} px, {REGION_NAMES[region]}")', 'st.image(x, alt=f"{name}")'],
)
def test_the_look_at_the_code_lets_pass_what_is_escaped(code: str) -> None:
    assert not list(faults(code))
