# Copyright (c) hanet_mm contributors. All rights reserved.
"""Scripts that complete commands in shells."""

import shlex
import shutil
import subprocess

import pytest

from hanet_mm.apis.cli import COMMANDS, main
from hanet_mm.apis.formats import FORMATS


@pytest.fixture
def script(capsys):
    def make(shell):
        assert main(['completion', shell]) == 0
        return capsys.readouterr().out

    return make


@pytest.mark.skipif(shutil.which('bash') is None, reason='needs bash')
@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        ('re', ['refine']),
        ('', [*COMMANDS, '-h', '--help', '--version', '-q', '--quiet', '-v']),
        ('refine --ski', []),
        ('-q refine in.npz --ske', ['--skeleton']),
        ('compare --format op', ['openpose']),
        ('refine --format ""', FORMATS),
        ('refine pos', []),  # names of files
        ('completion ""', ['bash', 'zsh', 'fish']),
    ],
)
def test_bash_completes(script, words, expected):
    given = ['hanet-mm', *(shlex.split(words) or [''])]
    text = script('bash') + (
        f'COMP_WORDS=({shlex.join(given)}); COMP_CWORD={len(given) - 1}\n'
        '_hanet_mm; printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ['bash', '-c', text], capture_output=True, text=True, check=True
    )
    assert done.stderr == ''
    assert {*expected} <= {*done.stdout.split()}
    if words:
        assert {*done.stdout.split()} == {*expected}


@pytest.mark.parametrize('shell', ['zsh', 'fish'])
def test_other_shells_take_their_scripts(script, shell):
    text = script(shell)
    assert all(name in text for name in COMMANDS)
    if shutil.which(shell) is None:
        pytest.skip(f'needs {shell} to check the syntax')
    done = subprocess.run(
        [shell, '-n'], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, '')
