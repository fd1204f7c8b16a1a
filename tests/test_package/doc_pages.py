# Copyright (c) hanet_mm contributors. All rights reserved.
"""Code blocks of Markdown pages, and how they are run."""

import contextlib
import glob
import io
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ['README.md', 'CONTRIBUTING.md'] + sorted(
    f'docs/{path.name}' for path in (ROOT / 'docs').glob('*.md')
)
_FENCE = re.compile(
    r'^( *)```([\w{}-]*)\n(.*?)^\1```$', re.MULTILINE | re.DOTALL
)
_COMMENT = re.compile(r'<!-- (not run|file|needs): (.+?) -->\n\s*\Z')


class Block(NamedTuple):
    """A fenced block: its language, text, and what its comment says."""

    page: str
    line: int
    language: str
    text: str
    not_run: Optional[str]
    file: Optional[str]
    needs: Optional[str]  # a module of a library that we do not install

    @property
    def where(self) -> str:
        return f'{self.page}:{self.line}'


def read_blocks(page: str) -> List[Block]:
    """Return the fenced blocks of a page in their order."""
    text = (ROOT / page).read_text(encoding='utf-8')
    blocks = []
    for match in _FENCE.finditer(text):
        indent, language, code = match.groups()
        if language.startswith('{'):  # a directive of the site
            continue
        comment = _COMMENT.search(text[: match.start()])
        kind, value = comment.groups() if comment else (None, None)
        blocks.append(
            Block(
                page,
                text.count('\n', 0, match.start()) + 1,
                language,
                re.sub(f'^{indent}', '', code, flags=re.MULTILINE),
                value if kind == 'not run' else None,
                value if kind == 'file' else None,
                value if kind == 'needs' else None,
            )
        )
    return blocks


def read_commands(block: Block) -> List[List[str]]:
    """Return the words of each command, also of those inside a loop."""
    done = subprocess.run(
        ['bash', '-n'],
        input=block.text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f'{block.where}: {done.stderr}'
    lines = block.text.replace('\\\n', ' ').splitlines()
    commands = [shlex.split(line, comments=True) for line in lines]
    return [words for words in commands if words]


def run_command(words: List[str], folder: Path, more: List[str]) -> None:
    """Run ``hanet-mm`` here, or a script of ``tools`` in its own process."""
    out = None
    if '>' in words:
        words, out = words[: words.index('>')], words[-1]
    words = [
        name
        for word in words
        for name in (sorted(glob.glob(word)) if '*' in word else [word])
    ]
    if words[0] == 'hanet-mm':
        from hanet_mm.apis.cli import main

        stdout = io.StringIO()
        with contextlib.redirect_stdout(stdout):
            status = main(words[1:])
        text = stdout.getvalue()
    else:
        assert words[0] == 'python', words
        done = subprocess.run(
            [sys.executable, '-W', 'ignore', str(ROOT / words[1])]
            + words[2:]
            + more,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        status, text = done.returncode, done.stdout + done.stderr
    assert status == 0, (words, text)
    if out is not None:
        (folder / out).write_text(text)


def read_help(script: str) -> str:
    """Return what a script of ``tools`` prints on ``--help``.

    In this process, so that torch and MMPose are imported once.
    """
    stdout = io.StringIO()
    argv, path = sys.argv, list(sys.path)
    sys.argv = [script, '--help']
    sys.path.insert(0, str((ROOT / script).parent))
    try:
        with contextlib.redirect_stdout(stdout), pytest.raises(SystemExit):
            runpy.run_path(str(ROOT / script), run_name='__main__')
    finally:
        sys.argv, sys.path[:] = argv, path
    return stdout.getvalue()


def check_command(words: List[str], helps: Dict[str, str]) -> None:
    """Check the arguments of a command that is not run."""
    if words[0] == 'make':
        targets = (ROOT / 'Makefile').read_text()
        assert re.search(rf'^{words[1]}:', targets, re.MULTILINE), words
    elif words[0] == 'hanet-mm':
        from hanet_mm.apis.cli import _build_parser

        _build_parser(words[1:]).parse_args(words[1:])
    elif words[0] == 'python' and words[1].startswith('tools/'):
        script = words[1]
        if script not in helps:
            helps[script] = read_help(script)
        options = [word for word in words if word.startswith('--')]
        missing = [x for x in options if x not in helps[script]]
        assert not missing, (script, missing)
