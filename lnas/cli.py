"""The command line: a dict of commands, each the signature of one function.

Only the chosen command's package is imported, so `lnas --help` costs nothing.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import io
import re
import sys
import traceback
from abc import ABCMeta
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, NoReturn

import yaml
from jsonargparse import ArgumentParser, DefaultHelpFormatter, set_parsing_settings

from lnas import __version__
from lnas.errors import LnasError, UsageError, unknown_name
from lnas.nets import NetBuilder
from lnas.pipeline.study.shipped import find_config


class Command(NamedTuple):
    """Where a command's function lives, which package each argument's short names come from, and what it does.

    A command that is `about` one thing takes it without a name, as in `lnas show ARCH`. One with a folder of `configs`
    takes one of them, by its name, or a file alike, as in `lnas study NAME_OR_FILE`.
    """

    module: str
    function: str
    components: dict[str, str]
    help: str
    examples: str
    about: str = ""
    configs: str = ""


_RUN_EXAMPLES = """  lnas run --config configs/quickstart.yaml
  lnas run --config configs/quickstart.yaml --candidates 100 --seed 1 --output results/more
  lnas run --data DigitsData --net.channels 8 --net.cells 1 --retraining.epochs 30
  lnas run --config configs/experiment/cifar10_angleloss.yaml --data.root FOLDER
  lnas run --config configs/quickstart.yaml --truth.benchmark digits --truth.key digits-1.0/digits/test@8/mean
  lnas run --data.help Cifar10Data
A component (--data, --space, --net, --strategy, --estimators, --retraining) is named by its class, its options follow
it, and DATA.help lists them. A class of your own is named by its import path, as in --data my_package.MyData."""

COMMANDS = {
    "run": Command(
        "lnas.pipeline.run",
        "run",
        {"data": "lnas.data", "space": "lnas.spaces", "strategy": "lnas.search", "estimators": "lnas.estimators"},
        "search, rank, retrain the winner beside controls, report",
        _RUN_EXAMPLES,
    ),
    "score": Command(
        "lnas.pipeline.scoring.score",
        "score_architectures",
        {"data": "lnas.data", "space": "lnas.spaces", "estimators": "lnas.estimators"},
        "measure many architectures, keep every number",
        "  lnas score --data DigitsData --measures params,relu_logdet --archs 100\n"
        "  lnas score --data Cifar10Data --data.root FOLDER --measures synflow,relu_logdet --archs 1000 --processes 2\n"
        "  lnas score --data DigitsData --measures synflow --archs cells.txt --truth.benchmark digits"
        " --truth.key digits-1.0/digits/test@8/mean\n"
        "  lnas score --config configs/score/nats_zero_shot.yaml --data.root FOLDER",
    ),
    "search": Command(
        "lnas.pipeline.search.search",
        "search",
        {
            "data": "lnas.data",
            "space": "lnas.spaces",
            "strategy": "lnas.search",
            "strategies": "lnas.search",
            "estimators": "lnas.estimators",
            "judges": "lnas.estimators",
        },
        "let strategies search, again and again, and say what they find",
        "  lnas search --strategy RegularizedEvolution --rank ntk_cond+linear_regions --data DigitsData"
        " --evaluations 200\n"
        "  lnas search --strategy PruningSearch --rank ntk_cond+linear_regions --data DigitsData"
        " --truth.benchmark digits --truth.key digits-1.0/digits/test@8/mean\n"
        "  lnas search --config configs/search/lightweight_nas.yaml\n"
        "  lnas search --from results/search --at 50 --seed 1 --output results/branch",
    ),
    "supernet": Command(
        "lnas.pipeline.supernet.train",
        "train_supernet",
        {"data": "lnas.data", "space": "lnas.spaces", "training": "lnas.training", "strategy": "lnas.search"},
        "train a supernet, watch what it learns to rank, keep its weights",
        "  lnas supernet --data DigitsData --net.channels 4 --net.cells 1 --epochs 20 --ranking.archs 100"
        " --truth.benchmark digits --truth.key digits-1.0/digits/test@8/mean\n"
        "  lnas supernet --config configs/supernet/nats_topology_reduced.yaml --data.root FOLDER\n"
        "  lnas supernet --data DigitsData --training Darts --epochs 20\n"
        "  lnas score --data DigitsData --archs 100 --estimators+ OneShotEstimator"
        " --estimators.weights results/supernet/last.ckpt",
    ),
    "study": Command(
        "lnas.pipeline.study.study",
        "study",
        {"data": "lnas.data", "space": "lnas.spaces", "settings": "lnas.estimators"},
        "compare settings of an estimator: what they correlate with, pick and cost",
        "  lnas study short-training\n"
        "  lnas study short-training --processes 2 --archs 200 --output results/more\n"
        "  lnas study short-training-cifar10 --data.root FOLDER --truth.path NATS_TABLE\n"
        "  lnas study my_study.yaml\n"
        "A study with `scores` in its file, as scores-digits, is one of stored scores: lnas study scores --help.",
        configs="study",
    ),
    "study scores": Command(
        "lnas.pipeline.scores_study.study",
        "study_scores",
        {"space": "lnas.spaces"},
        "say from stored scores what estimators are worth, in a report to look around in",
        "  lnas study scores-digits\n"
        "  lnas study scores-nats --truth.path NATS_TABLE --processes 2\n"
        "  lnas study scores-nats --truth.path NATS_TABLE --supernets.uniform results/supernet"
        " --scores.val12 truth:nats-1.0/cifar10-valid/x-valid@12/mean\n"
        "  lnas study scores --scores.zero_shot results/score/scores.parquet --scores.mine my.csv"
        " --truth.benchmark digits --truth.key digits-1.0/digits/test@8/mean\n"
        "`lnas study FILE` is this one where FILE has `scores`.",
        configs="study",
    ),
    "study landscape": Command(
        "lnas.pipeline.landscape",
        "study_landscape",
        {"space": "lnas.spaces"},
        "draw where searches that parted went, and how good architectures are in between",
        "  lnas search --from results/search --at 20 --seed 1 --output results/one\n"
        "  lnas search --from results/search --at 20 --seed 2 --output results/other\n"
        "  lnas study landscape --searches.early '[results/one, results/other]'",
    ),
    "retrain": Command(
        "lnas.pipeline.retraining.retrain",
        "retrain",
        {"data": "lnas.data", "space": "lnas.spaces"},
        "train architectures in full, measure them once, keep their weights",
        "  lnas retrain --data DigitsData --net.channels 8 --net.cells 1 --recipe.epochs 10"
        " --arch '|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|'\n"
        "  lnas retrain --config configs/retrain/nats_12.yaml --data.root FOLDER --arch NOTATION\n"
        "  lnas retrain --config configs/retrain/darts_cifar10.yaml --data.root FOLDER --found results/search",
    ),
    "compare": Command(
        "lnas.pipeline.comparing.compare",
        "compare",
        {"space": "lnas.spaces"},
        "say what differs between two results, by how much, and whether it matters",
        "  lnas compare results/a results/b --truth.benchmark digits --truth.key digits-1.0/digits/test@8/mean\n"
        "  lnas compare results/supernet mine.csv --measures oneshot_acc=score\n"
        "  lnas compare results/study@459f results/study@3c18\n"
        "  lnas compare results/search results/branch",
        about="A B",
    ),
    "report": Command(
        "lnas.pipeline.reporting.report",
        "report",
        {},
        "make a folder's pages and tables again from its store alone",
        "  lnas report results/search\n  lnas report results/search/store.sqlite --output results/again",
        about="STORE",
    ),
    "export": Command(
        "lnas.pipeline.exporting.export",
        "export",
        {"data": "lnas.data", "space": "lnas.spaces"},
        "write a trained network as files that other tools load, each read again and compared",
        "  lnas export results/retrain\n"
        "  lnas export results/retrain --output results/export --data Cifar10Data --data.root FOLDER\n"
        '  lnas export results/run/retrain/ARCH-seed0 --forms "[safetensors, onnx]"',
        about="SOURCE",
    ),
    "bench build": Command(
        "lnas.pipeline.bench.build",
        "build_benchmark",
        {"data": "lnas.data", "space": "lnas.spaces"},
        "train the architectures of a space and make a table of what they reach",
        "  lnas bench build --config configs/bench/digits.yaml\n"
        "  lnas bench build --name mine --data DigitsData --net.channels 8 --net.cells 1 --training.epochs 5"
        " --limit 50\n"
        "  lnas bench build --name mine --data DigitsData --space my_package.MySpace --net my_package.build"
        " --training.epochs 5",
    ),
    "bench import": Command(
        "lnas.pipeline.bench.importing",
        "import_benchmark",
        {},
        "turn a benchmark's official files into a table, once",
        "  lnas bench import nats NATS-tss-v1_0-3ffb9-simple --output nats_tss.parquet",
        about="FORMAT PATH",
    ),
    "bench show": Command(
        "lnas.pipeline.bench.showing",
        "show_benchmark",
        {"space": "lnas.spaces"},
        "say where a benchmark's numbers come from and which there are",
        "  lnas bench show digits\n  lnas bench show nats_tss --path nats_tss.parquet",
        about="NAME",
    ),
    "list": Command(
        "lnas.pipeline.listing",
        "list_choices",
        {},
        "list the spaces, published genotypes, proxies or benchmarks",
        "  lnas list spaces\n  lnas list benchmarks",
        about="KIND",
    ),
    "show": Command(
        "lnas.pipeline.showing",
        "show",
        {"space": "lnas.spaces"},
        "draw and count one architecture",
        "  lnas show DARTS_V2\n"
        "  lnas show DARTS_V2 --pixels 224 --num_classes 1000 --net.image_size 224 --net.channels 48 --net.cells 14\n"
        "  lnas show nats_topology:3-1-2-0-4-3 --output cell.svg\n"
        "  lnas show '64:8:16:24:32'\n"
        "  lnas show 32:relu:16:tanh --space my_package.MySpace --net my_package.build",
        about="ARCH",
    ),
}

_INTERRUPTED = 130
_NO_LIST = re.compile(r"Expected a <class '(?:tuple|list|collections\.abc\.Sequence)'>\. Got value: (\S+)")
_A_LIST = "Expected a <class 'list'>"
_FLAGS = ("-q", "--quiet", "-h", "--help")


class HelpFormatter(DefaultHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Help that names the classes to choose from instead of spelling out Python types."""

    def _expand_help(self, action: argparse.Action) -> str:
        text = super()._expand_help(action)
        if any(sign in text for sign in ("known subclasses", "Callable", "<class", "| null", "Sequence[", "Literal[")):
            text = re.sub(r"type: .*?(, (?=default: |known subclasses: )|(?=\)$))", "", text, flags=re.DOTALL)
        text = re.sub(r"\{'class_path': '[\w.]*?(\w+)'\}", r"\1", text)
        text = re.sub(r"default: \{.*\}", f"see --{action.dest}.help", text, flags=re.DOTALL)
        text = re.sub(r"known subclasses: (.*)\)", _short_names, text)
        return re.sub(r",? ?\(\)$", "", re.sub(r", \)$", ")", text))


class Parser(ArgumentParser):
    """A parser whose errors are exceptions of one line."""

    command: Command | None = None  # the parsers that jsonargparse makes for the options of a class have none

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise `UsageError` in our words."""
        raise UsageError(self._worded(_one_line(message)))

    def _worded(self, message: str) -> str:
        message = re.sub(_NO_LIST, r"expected a list, written [\1], got \1", message)
        unrecognized = re.search(r"unrecognized arguments: (--[^\s=]+)", message)
        if unrecognized:
            options = [option for action in self._actions for option in action.option_strings if option[:2] == "--"]
            return unknown_name("option", unrecognized.group(1), options)
        misplaced = re.search(r"unrecognized arguments: (\S+)", message)
        if misplaced and self.command and self.command.configs:
            return f"{misplaced.group(1)!r} comes too late: a name or a file is the first argument, options follow it."
        required = re.search(r"arguments are required: (\w+)", message)
        if required:
            return self._missing(required.group(1))
        key = re.match(r'Parser key "(\w+)(\.[\w.]+)?": (.*)', message)
        if not key:
            return message
        argument, part, reason = key.groups()
        return f"{self._written(argument)}{part or ''}: {self._reason(argument, reason)}"

    def _missing(self, argument: str) -> str:
        missing = f"{self._written(argument)} is required"
        if self.command is None:
            return missing
        return f"{missing}; for example: {self.command.examples.strip().splitlines()[0].strip()}"

    def _written(self, argument: str) -> str:
        """Return an argument as it is typed."""
        if self.command is None:
            return argument
        return argument.upper() if argument.upper() in self.command.about.split() else f"--{argument}"

    def _reason(self, argument: str, reason: str) -> str:
        misspelt = re.search(r"Expected a dot import path string: ([\w.]+)", reason)
        if misspelt and self.command and argument in self.command.components:
            return unknown_name("class", misspelt.group(1), _classes(self.command.components[argument]))
        outside = re.match(r"Expected a typing\.Literal\[(.*)\]\. Got value: (.*)", reason)
        if outside:
            return unknown_name("choice", outside.group(2), outside.group(1).replace("'", "").split(", "))
        optional = re.search(r"Errors: - (.*?) - Expected a <class 'NoneType'>", reason)
        if optional and optional.group(1) == _A_LIST:
            return f"expected a list; --{argument}+ NAME adds one, whose options follow as --{argument}.OPTION."
        if optional:
            return optional.group(1)
        several = re.search(r"Errors: - (?:.* - )?(.*?) Given value type", reason)  # the last is of the widest type
        return re.sub(r".* expects a function or a callable class: ", "", several.group(1)) if several else reason


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 2 (the call was wrong), 1 (it could not be served) or 130 (interrupted)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a sign does not end a run
    try:
        return _dispatch([argument for argument in arguments if argument != "--debug"])
    except LnasError as error:
        if debug:
            traceback.print_exc()
        return _fail(str(error), error.exit_status)
    except KeyboardInterrupt:
        return _fail("stopped; the same command goes on from here", _INTERRUPTED)
    except OSError as error:
        if debug:
            traceback.print_exc()
        return _fail(f"{error.strerror or error}: {error.filename or 'no file'}", 1)
    except Exception as error:  # the last resort: one line for people, all of it for --debug
        if debug:
            traceback.print_exc()
        return _fail(f"{type(error).__name__}: {_one_line(str(error))} (--debug shows where)", 1)


def _dispatch(arguments: list[str]) -> int:
    if {"-V", "--version"} & set(arguments):
        print(f"lnas {__version__}")  # noqa: T201
        return 0
    words = [i for i, argument in enumerate(arguments) if not argument.startswith("-")]
    if not words:
        if set(arguments) <= {"-h", "--help", "-q", "--quiet"}:
            print(_overview(COMMANDS))  # noqa: T201
            return 0
        raise UsageError(f"expected a command before {arguments[0]!r}. Known: {', '.join(COMMANDS)}.")
    of_two = words[:2] if " ".join(arguments[i] for i in words[:2]) in COMMANDS else words[:1]
    name = " ".join(arguments[i] for i in of_two)
    rest = [argument for i, argument in enumerate(arguments) if i not in of_two]
    if name == "study":
        name = _kind_of_study(rest)
    if name in COMMANDS:
        return _run_command(name, rest)
    group = {command: COMMANDS[command] for command in COMMANDS if command.startswith(f"{name} ")}
    if group and set(rest) <= {"-h", "--help", "-q", "--quiet"}:
        print(_overview(group))  # noqa: T201
        return 0
    wrong = f"{name} {arguments[words[1]]}" if group and words[1:] else name
    raise UsageError(unknown_name("command", wrong, group or COMMANDS))


def command_parser(name: str) -> Parser:
    """Make the parser of a command from its function's signature; imports the command's package."""
    command = COMMANDS[name]
    for package in command.components.values():
        importlib.import_module(package)
    function = _function(name)
    set_parsing_settings(subclasses_enabled=[NetBuilder])  # a dataclass, but `--net` may name another factory
    parser = Parser(
        prog=f"lnas {name} NAME_OR_FILE" if command.configs else f"lnas {name}",
        description=_description(function),
        epilog=command.examples,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.command = command
    parser.add_argument("--config", action="config", help="A YAML file with any of these arguments; later ones win.")
    parser.add_function_arguments(
        function, as_group=False, as_positional=bool(command.about), sub_configs=True, skip={"quiet", "config"}
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="Print errors only.")
    parser.add_argument("--debug", action="store_true", help="Show the traceback of an error.")
    return parser


def _run_command(name: str, arguments: list[str]) -> int:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # where people keep the classes that their configs name
    parser = command_parser(name)
    spelt = _with_config(arguments, COMMANDS[name].configs)
    config = parser.parse_args(_with_parent(spelt) if name == "search" else spelt)
    text = parser.dump(config)
    instantiated = parser.instantiate(config).as_dict()
    for own in ("config", "debug"):
        instantiated.pop(own, None)
    function = _function(name)
    replay = {"config": text} if "config" in inspect.signature(function).parameters else {}
    function(**instantiated, **replay)
    return 0


def _with_config(arguments: Sequence[str], folder: str) -> list[str]:
    """Spell out which config is meant by a name or a file in the place of the first option."""
    place = next((k for k, argument in enumerate(arguments) if argument not in _FLAGS), len(arguments))
    named = arguments[place : place + 1]
    if not folder or not named or named[0].startswith("-"):
        return list(arguments)
    others = [*arguments[:place], *arguments[place + 1 :]]
    return ["--config", str(find_config(named[0], folder)), *others]  # first, so that all options win


def _kind_of_study(arguments: Sequence[str]) -> str:
    """Return the command that is meant by `lnas study`: the one of scores where a config or an option gives them."""
    spelt = _with_config(arguments, COMMANDS["study"].configs)
    files = [file for option, file in pairwise(spelt) if option == "--config"]
    files += [option.removeprefix("--config=") for option in spelt if option.startswith("--config=")]
    given = any(option.startswith("--scores") for option in spelt)
    return "study scores" if given or any("scores" in _top_level(Path(file)) for file in files) else "study"


def _top_level(config: Path) -> Collection[str]:
    """Return the names at the top of a YAML file; none where it is no such file, which its parser will say."""
    try:
        content = yaml.safe_load(config.read_text())
    except (OSError, ValueError, yaml.YAMLError):
        return ()
    return content if isinstance(content, dict) else ()


def _with_parent(arguments: Sequence[str]) -> list[str]:
    """Spell out what it means to branch --from a folder: its config, and the folder as the parent."""
    spelt: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--from" and rest and not rest[0].startswith("-"):
            argument = f"--from={rest.pop(0)}"
        if argument.startswith("--from="):
            folder = argument.removeprefix("--from=")
            spelt = [f"--config={Path(folder) / 'config.yaml'}", *spelt, f"--parent={folder}"]
        else:
            spelt.append(argument)
    return spelt


def _function(name: str) -> Callable[..., object]:
    return getattr(importlib.import_module(COMMANDS[name].module), COMMANDS[name].function)


def _overview(commands: Mapping[str, Command]) -> str:
    width = max(map(len, commands))
    lines = "\n".join(f"  {name:<{width}}  {command.help}" for name, command in commands.items())
    return (
        f"lnas {__version__}: find neural architectures cheaply, and know how far each estimate can be trusted.\n\n"
        f"usage: lnas COMMAND [--config FILE] [options]\n\ncommands:\n{lines}\n\n"
        "Start with:  lnas run --config configs/quickstart.yaml\n"
        "Options of a command:  lnas COMMAND --help\n"
        "Anywhere: -q prints errors only, --debug shows the traceback of an error, --version."
    )


def _description(function: Callable[..., object]) -> str:
    return inspect.cleandoc((function.__doc__ or "").split("Args:")[0])


def _short_names(listed: re.Match[str]) -> str:
    return f"one of: {', '.join(sorted(path.rsplit('.', 1)[-1] for path in listed.group(1).split(', ')))})"


def _classes(package: str) -> list[str]:
    """Return the names of the concrete classes that a package offers for an argument."""
    module = importlib.import_module(package)
    exported = {name: getattr(module, name) for name in module.__all__}
    return [name for name, item in exported.items() if isinstance(item, ABCMeta) and not inspect.isabstract(item)]


def _one_line(message: str) -> str:
    """Fold a library's message of several lines into one."""
    return re.sub(r"\s+", " ", message).strip()


def _fail(message: str, status: int) -> int:
    print(f"lnas: {message}", file=sys.stderr)  # noqa: T201
    return status
