"""docs/commands.md has every command with its help and options, and nothing that is no command."""

from __future__ import annotations

import re

import pytest
import typer

from forensics.cli.main import _reader_of, build, run
from forensics.model.query import QueryKind
from tests.paths import REPOSITORY

PAGE = (REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8")
COMMANDS = typer.main.get_command(build()).commands
SECTIONS = dict(part.split("\n", 1) for part in re.split(r"(?m)^### ", PAGE)[1:])


def test_sections_are_the_commands():
    assert sorted(SECTIONS) == sorted(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_section_says_what_the_help_says(name):
    command, text = COMMANDS[name], SECTIONS.get(name, "")
    assert command.help in text
    options = {parameter.opts[0]: parameter for parameter in command.params if parameter.opts[0].startswith("-")}
    assert set(re.findall(r"(?m)^\| `(--[a-z-]+)` \|", text)) == set(options)
    for option, parameter in options.items():
        assert f"| `{option}` | {parameter.help}" in text
    assert f"    $ keytrail {name}" in text


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_read_alone_is_the_same(name):
    def told(command):
        return command.help, [(p.opts, p.default, p.required, getattr(p, "help", "")) for p in command.params]

    alone = _reader_of([name, "--help"]).commands
    assert list(alone) == [name]
    assert told(alone[name]) == told(COMMANDS[name])


@pytest.mark.parametrize("line", [["--help"], ["--version"], ["hnut"]])
def test_what_names_no_command_is_read_with_all(line):
    assert sorted(_reader_of(line).commands) == sorted(COMMANDS)


def test_examples_use_options_that_exist():
    for name, text in SECTIONS.items():
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        for line in re.findall(r"(?m)^    \$ keytrail (.*)$", text):
            assert line.split()[0] == name
            assert set(re.findall(r"--[a-z-]+", line)) <= known, line


def test_every_summary_is_named():
    from forensics.analysis.context import catalogue

    names = {q.id.partition(".")[2] for q in catalogue().of_kind(QueryKind.SUMMARY)}
    assert {n for n in names if f"`{n}`" not in SECTIONS["summary"]} == set()


def test_help_of_every_command_prints(capsys):
    for name in COMMANDS:
        assert run([name, "--help"]) == 0
        assert name in capsys.readouterr().out
