# Copyright (c) hanet_mm contributors. All rights reserved.
"""Checkpoints of which one is whole at any time, whenever a run is killed."""

import os
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

from mmengine.dist import barrier, is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from hanet_mm.core.data.atomic import atomic_path, remove_leftovers

_BACKEND = 'hanet_mm.atomic'
# Files that the last checkpoint made superfluous, in the message hub.
_OUTDATED = 'outdated_ckpts'


class AtomicBackend(LocalBackend):
    """Local files that are written whole or not at all."""

    def put(self, obj: bytes, filepath: Union[str, Path]) -> None:
        """Write bytes."""
        with atomic_path(filepath) as temporary:
            temporary.write_bytes(obj)


register_backend(_BACKEND, AtomicBackend, force=True)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """MMEngine's hook, made safe against interruptions of a run.

    MMEngine deletes the checkpoint before the last and then writes the new
    one in place: a run that is killed then, with ``max_keep_ckpts=1``, is
    lost. This hook writes the new one whole first, under another name where
    files are local, then the note which is the last, and deletes then.

    A run resumed from its work directory (``--resume``) whose last checkpoint
    cannot be read, such as one that MMEngine was writing, goes on from the
    one before, and says so.

    The arguments are those of :class:`mmengine.hooks.CheckpointHook`.
    """

    def before_run(self, runner: Runner) -> None:
        """Choose the checkpoint that a run goes on from."""
        if not runner._resume or runner._load_from is not None:
            return
        if is_main_process():
            self._choose_last(runner)
        barrier()

    def before_train(self, runner: Runner) -> None:
        """Prepare the folder; see :meth:`CheckpointHook.before_train`."""
        given = self.backend_args or self.file_client_args
        if not given and '://' not in str(self.out_dir):
            self.backend_args = dict(backend=_BACKEND)
        super().before_train(runner)
        if is_main_process() and os.path.isdir(self.out_dir):
            remove_leftovers(Path(self.out_dir))
        if _OUTDATED in runner.message_hub.runtime_info:
            self._remove(runner.message_hub.get_info(_OUTDATED))

    def _save_checkpoint_with_step(
        self, runner: Runner, step: int, meta: Dict[str, Any]
    ) -> None:
        outdated = self._list_outdated(runner, step)
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            _write_note(runner, self.last_ckpt)
        self._remove(outdated)

    def _save_best_checkpoint(
        self, runner: Runner, metrics: Dict[str, Any]
    ) -> None:
        backend = self.file_backend
        late = self.file_backend = _LateRemoval(backend)
        try:
            super()._save_best_checkpoint(runner, metrics)
        finally:
            self.file_backend = backend
        kept = [getattr(self, 'best_ckpt_path', None)]
        kept += getattr(self, 'best_ckpt_path_dict', {}).values()
        for remove, path in late.calls:
            if path not in kept:
                remove(path)

    def _list_outdated(self, runner: Runner, step: int) -> List[str]:
        """Paths to remove once the checkpoint of a step is there."""
        outdated: List[str] = []
        if self.max_keep_ckpts <= 0 or [*self.keep_ckpt_ids][-1:] == [step]:
            return outdated
        if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
            name = self.filename_tmpl.format(self.keep_ckpt_ids.popleft())
            outdated.append(self.file_backend.join_path(self.out_dir, name))
        self.keep_ckpt_ids.append(step)
        hub = runner.message_hub
        hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        hub.update_info(_OUTDATED, outdated)
        return outdated

    def _remove(self, paths: List[str]) -> None:
        if not is_main_process():
            return
        for path in paths:
            if self.file_backend.isfile(path):
                self.file_backend.remove(path)
            elif self.file_backend.isdir(path):  # of DeepSpeed
                self.file_backend.rmtree(path)

    def _choose_last(self, runner: Runner) -> None:
        """Let the note name a checkpoint that can be read."""
        last = _read_note(runner)
        if '://' in last or (last and is_whole(last)):
            return
        place = os.path.dirname(last)
        # That of a work directory that was moved is not there.
        folder = place if os.path.isdir(place) else runner.work_dir
        earlier = self._find_steps(folder)
        limit = self._step(last)
        for step in sorted(earlier, reverse=True):
            if limit is not None and step >= limit:
                continue
            if is_whole(earlier[step]):
                runner.logger.warning(
                    f'{last or "the last checkpoint"}: cannot be read, as if '
                    'the run was killed while it was written; going on from '
                    f'{earlier[step]}'
                )
                _write_note(runner, str(earlier[step]))
                return
        if last:
            raise ValueError(
                f'{last}: cannot be read, as if the run was killed while it '
                'was written, and there is no earlier checkpoint: start '
                'again without --resume'
            )

    def _find_steps(self, folder: str) -> Dict[int, Path]:
        """Checkpoints of a folder by their epoch or iteration."""
        found = {}
        for path in Path(folder).iterdir():
            step = self._step(path.name)
            if step is not None:
                found[step] = path
        return found

    def _step(self, path: str) -> Optional[int]:
        pattern = re.escape(self.filename_tmpl).replace(r'\{\}', r'(\d+)')
        found = re.fullmatch(pattern, Path(path).name)
        return int(found[1]) if found else None


class _LateRemoval:
    """A file backend that notes what is to be removed."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.calls: List[Tuple[Callable[[str], None], str]] = []

    def remove(self, path: str) -> None:
        self.calls.append((self.backend.remove, path))

    def rmtree(self, path: str) -> None:
        self.calls.append((self.backend.rmtree, path))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)


def is_whole(path: Union[str, Path]) -> bool:
    """Whether a checkpoint is complete; a folder is taken for it."""
    if os.path.isdir(path):
        return True
    try:
        # torch writes archives, the list of what is in them at the end.
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError):
        return False


def _note(runner: Runner) -> Path:
    """The file by which MMEngine finds the last checkpoint."""
    return Path(runner.work_dir) / 'last_checkpoint'


def _read_note(runner: Runner) -> str:
    try:
        return _note(runner).read_text(encoding='utf-8').strip()
    except FileNotFoundError:
        return ''


def _write_note(runner: Runner, path: str) -> None:
    with atomic_path(_note(runner)) as temporary:
        temporary.write_text(path, encoding='utf-8')
