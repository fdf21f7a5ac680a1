"""The house keeps its own rules: names, documents, safe configuration, forbidden things."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import streamlit.config
import typer.main

import wrinklecv
from wrinklecv import cli

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "wrinklecv").rglob("*.py"))
COMMANDS = sorted(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined]


def as_id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("name", sorted(wrinklecv.__all__))
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    value = getattr(wrinklecv, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        text = value.__doc__ or ""
        assert text.strip()
        assert not text.startswith(f"{name}("), "dataclass wrote this docstring, not a person"


def test_the_typed_names_are_the_public_names() -> None:
    tree = ast.parse((ROOT / "wrinklecv" / "__init__.py").read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed | {"DISCLAIMER", "__version__"} == set(wrinklecv.__all__)
    assert dir(wrinklecv) == sorted(wrinklecv.__all__)


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'asess'"):
        wrinklecv.asess  # noqa: B018


@pytest.mark.parametrize("path", MODULES, ids=as_id)
def test_every_module_and_public_function_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert not tree.body or ast.get_docstring(tree), "say in one sentence what this file is for"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_stands_in_the_readme(name: str) -> None:
    assert f"wrinklecv {name}" in (ROOT / "README.md").read_text("utf-8")


def test_the_readme_bears_the_disclaimer_and_the_test_command() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert wrinklecv.DISCLAIMER in re.sub(r"[\s>]+", " ", text)
    assert "make test" in text
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_the_configuration_file_and_the_flags_of_the_app_are_the_same() -> None:
    written = flat(tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8")))
    assert written == cli.STREAMLIT_OPTIONS


def flat(tree: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Return nested TOML tables as one, names joined by dots."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return found


def test_every_option_of_the_app_is_known_to_streamlit() -> None:
    known = streamlit.config.get_config_options()
    assert set(cli.STREAMLIT_OPTIONS) <= set(known)


def test_flags_repeat_lists_and_spell_booleans_in_lower_case() -> None:
    flags = cli._flags({"a.list": ["x", "y"], "a.yes": True, "a.number": 3})
    assert flags == ["--a.list=x", "--a.list=y", "--a.yes=true", "--a.number=3"]


FORBIDDEN = {
    "unsafe pickles": re.compile(r"^\s*(import|from) (pickle|joblib|shelve|dill)\b|allow_pickle=True", re.M),
    "a shell": re.compile(r"shell=True|os\.system\("),
    "cv2 file access": re.compile(r"cv2\.im(read|write)\("),
    "a network client": re.compile(r"^\s*(import|from) (requests|urllib|http|httpx|socket)\b", re.M),
    "a broad except": re.compile(r"except( Exception| BaseException)?:(?!.*noqa)"),
    "unsafe HTML": re.compile(r"unsafe_allow_html=True"),
    "a cache on disk": re.compile(r"persist=(True|\"disk\")"),
}
ALLOWED = {("a broad except", "wrinklecv/whole_files.py")}  # it tidies up and raises again


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_code_does_without(what: str) -> None:
    found = {
        as_id(path) for path in [*MODULES, ROOT / "app.py"] if FORBIDDEN[what].search(path.read_text("utf-8"))
    }
    assert {(what, name) for name in found} <= ALLOWED


def test_every_module_has_its_floor() -> None:
    """Say it here too, in words: a new room needs a floor in pyproject.toml."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    floors = " ".join(config["contracts"][0]["layers"])
    rooms = {path.relative_to(ROOT / "wrinklecv").parts[0].removesuffix(".py") for path in MODULES}
    missing = rooms - {"__init__"} - set(re.findall(r"\w+", floors))
    assert not missing, f"add {sorted(missing)} to the layers in pyproject.toml"


def test_the_model_card_names_the_very_file() -> None:
    model = importlib.import_module("wrinklecv.model")
    card = (ROOT / "models" / "README.md").read_text("utf-8")
    assert model.MODEL_SHA256 in card
    assert f"{(ROOT / 'models' / model.MODEL_NAME).stat().st_size:,}" in card
