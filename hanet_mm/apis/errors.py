# Copyright (c) hanet_mm contributors. All rights reserved.
"""Errors as one line, for the command line and runs over many files."""

import os
import sys
import warnings
from contextlib import contextmanager
from typing import Any, Dict, Iterable, Iterator, List, Tuple, Union

from hanet_mm.core.data.extras import EXTRAS, how_to_install

# Raised on purpose, with a message for the user.
EXPECTED = (OSError, ValueError, ImportError)
LONGEST = 300
# Messages of which the first is told in full.
_MOST_KINDS = 5
_SILENT_OPENCV = {'OPENCV_LOG_LEVEL': 'OFF', 'OPENCV_FFMPEG_LOGLEVEL': '-8'}

# Status of a program that Ctrl-C ended, as shells have it.
INTERRUPTED = 130


class SeveralErrors(ValueError):
    """Errors of several files: each message is short, all of them may not."""


def describe_error(
    error: BaseException,
    source: Union[str, 'os.PathLike[str]', None] = None,
) -> str:
    """An error in one line of at most ``LONGEST`` characters.

    An error that nobody foresaw names its kind, and ``source`` as the file.
    """
    text = ' '.join(str(error).split())
    if isinstance(error, SeveralErrors):
        return text
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition('.')[0]
        if package in EXTRAS and text == f'No module named {error.name!r}':
            text = f'this {how_to_install(package)}'
    if not _is_foreseen(error):
        place = '' if source is None else f'{source}: '
        kind = type(error).__name__
        text = f'{place}not expected, {kind}: {text or "no message"}'
        text = f'{text}; --debug shows where'
    return shorten(text or type(error).__name__)


def _is_foreseen(error: BaseException) -> bool:
    """Whether it says what is wrong: not an error from deep inside numpy."""
    if isinstance(error, UnicodeError) or not isinstance(error, EXPECTED):
        return False
    origin = type(error).__module__.split('.')[0]
    return isinstance(error, OSError) or origin in ('builtins', 'hanet_mm')


@contextmanager
def naming_file(
    path: Union[str, 'os.PathLike[str]'], expected: str
) -> Iterator[None]:
    """Let errors of reading a file be a ValueError of one line that names it.

    ``expected`` says what of, where nobody foresaw the error. Those of the
    operating system pass, and of missing packages, and errors that are such a
    line already.
    """
    try:
        yield
    except ImportError:
        raise
    except OSError as error:
        if error.filename is None:  # of a damaged archive, not of the system
            raise ValueError(_line(error, path, expected)) from error
        raise
    except ValueError as error:
        text, line = str(error), _line(error, path, expected)
        if text == line:
            raise
        is_foreseen = str(path) in text and _is_foreseen(error)
        raise ValueError(line) from (None if is_foreseen else error)
    except Exception as error:
        raise ValueError(_line(error, path, expected)) from error


def _line(
    error: Exception,
    path: Union[str, 'os.PathLike[str]'],
    expected: str,
) -> str:
    text = ' '.join(str(error).split())
    if str(path) not in text or not _is_foreseen(error):
        kind = type(error).__name__
        text = f'{path}: expected {expected}, found {kind}: {text}'
    return shorten(text)


def shorten(text: str, longest: int = LONGEST) -> str:
    """The text, or its beginning and end."""
    if len(text) <= longest:
        return text
    end = longest // 3
    return f'{text[: longest - end - 5]} ... {text[-end:]}'


def count_errors(failed: Iterable[Tuple[str, str]]) -> str:
    """Errors (file, message) in a line, equal ones once with their number."""
    files: Dict[str, List[str]] = {}
    first: Dict[str, str] = {}
    for path, message in failed:
        kind = message.replace(path, '').lstrip(': ')
        files.setdefault(kind, []).append(path)
        first.setdefault(kind, message)
    texts = []
    for kind, paths in files.items():
        more = f' (and {len(paths) - 1} more alike)' if paths[1:] else ''
        text = first[kind]
        if paths[0] not in text:
            text = f'{os.path.basename(paths[0])}: {text}'
        texts.append(text + more)
    rest = len(texts) - _MOST_KINDS
    if rest > 0:
        texts[_MOST_KINDS:] = [f'{rest} other errors']
    return ' | '.join(texts)


@contextmanager
def one_line_interrupts(advice: str = '') -> Iterator[None]:
    """End the program with a line and the status of an interruption if
    Ctrl-C comes in the block, which may be the imports of a script.
    """
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write(f'interrupted{advice and f"; {advice}"}\n')
        raise SystemExit(INTERRUPTED) from None


@contextmanager
def silent_opencv() -> Iterator[None]:
    """Let OpenCV and its FFmpeg, if they are first used in the block, say
    nothing themselves: our errors do. Settings of the user count.
    """
    added = [x for x in _SILENT_OPENCV if x not in os.environ]
    os.environ.update((x, _SILENT_OPENCV[x]) for x in added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@contextmanager
def plain_warnings(shown: bool = True) -> Iterator[None]:
    """Print warnings for users in the block as a line on stderr, each text
    once, without the place in the code; or none at all.
    """
    if not shown:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
        return
    told = set()
    before = warnings.showwarning

    def show(message: Any, category: Any, *place: Any) -> None:
        if not issubclass(category, UserWarning):
            before(message, category, *place)
            return
        text = shorten(' '.join(str(message).split()))
        if text not in told:
            told.add(text)
            sys.stderr.write(f'hanet-mm: warning: {text}\n')

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before
