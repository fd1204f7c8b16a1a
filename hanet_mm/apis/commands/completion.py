# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm completion``: completion of commands and options in shells."""

import argparse
import shlex
from typing import Dict, List, NamedTuple

SHELLS = ('bash', 'zsh', 'fish')

_BASH = """\
_hanet_mm() {{
    local cur prev word command= words=
    cur=${{COMP_WORDS[COMP_CWORD]}}
    prev=${{COMP_WORDS[COMP_CWORD-1]}}
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case $word in
            {commands}) command=$word; break ;;
        esac
    done
    case "$command $prev" in
{choices}
        *)
            case "$command" in
{options}
            esac
            # Names of files complete what is no option.
            if [[ -n $command && $cur != -* ]]; then words=; fi ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -o default -F _hanet_mm hanet-mm
"""
_ZSH = '#compdef hanet-mm\nautoload -U +X bashcompinit && bashcompinit\n'


class _Option(NamedTuple):
    names: List[str]
    help: str
    choices: List[str]
    takes_value: bool


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        'completion',
        description='Print a script that completes commands and options: '
        'source <(hanet-mm completion bash) in ~/.bashrc, the same for zsh '
        'in ~/.zshrc after compinit; for fish, '
        'hanet-mm completion fish > ~/.config/fish/completions/hanet-mm.fish',
    )
    parser.add_argument('shell', choices=SHELLS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> str:
    """The script of a shell."""
    from hanet_mm.apis.cli import COMMANDS, _build_parser

    parser = _build_parser([], everything=True)
    (found,) = (
        x for x in parser._actions if isinstance(x, argparse._SubParsersAction)
    )
    options = {'': _options_of(parser)}
    for name, command in found.choices.items():
        options[name] = _options_of(command)
    if args.shell == 'fish':
        return _fish(COMMANDS, options)
    lead = _ZSH if args.shell == 'zsh' else ''
    return (lead + _bash(options)).rstrip('\n')


def _options_of(parser: argparse.ArgumentParser) -> List[_Option]:
    options = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            continue
        positional_choices = not action.option_strings and action.choices
        if action.option_strings or positional_choices:
            text = '' if action.help is None else action.help % vars(action)
            options.append(
                _Option(
                    list(action.option_strings),
                    text.split(';')[0].split('. ')[0],
                    [str(x) for x in action.choices or ()],
                    action.nargs != 0,
                )
            )
    return options


def _bash(options: Dict[str, List[_Option]]) -> str:
    choices, cases = [], []
    for command, found in options.items():
        words = [name for x in found for name in x.names]
        if not command:
            words = [x for x in options if x] + words
        cases.append(
            f'                "{command}") words="{" ".join(words)}" ;;'
        )
        for option in found:
            # Choices without an option follow the command.
            for name in option.names or [command]:
                if option.choices:
                    values = ' '.join(option.choices)
                    pattern = f'"{command} {name}"'
                    choices.append(f'        {pattern}) words="{values}" ;;')
    return _BASH.format(
        commands='|'.join(x for x in options if x),
        choices='\n'.join(choices),
        options='\n'.join(cases),
    )


def _fish(titles: Dict[str, str], options: Dict[str, List[_Option]]) -> str:
    lines = []
    for command, title in titles.items():
        lines.append(
            'complete -c hanet-mm -n __fish_use_subcommand -f '
            f'-a {command} -d {shlex.quote(title)}'
        )
    for command, found in options.items():
        where = ''
        if command:
            where = f' -n "__fish_seen_subcommand_from {command}"'
        for option in found:
            words = ['complete -c hanet-mm' + where]
            for name in option.names:
                kind = '-l' if name.startswith('--') else '-s'
                words.append(f'{kind} {name.lstrip("-")}')
            if option.choices:
                words.append('-x' if option.names else '-f')
                words.append(f'-a {shlex.quote(" ".join(option.choices))}')
            elif option.takes_value:
                words.append('-r')
            words.append(f'-d {shlex.quote(option.help)}')
            lines.append(' '.join(words))
    return '\n'.join(lines)
