# Copyright (c) hanet_mm contributors. All rights reserved.
"""Pictures of the sequences of a test: ``--show-dir``, ``--show``."""

import re
from pathlib import Path
from typing import Any, Optional, Sequence

from mmengine.logging import print_log
from mmengine.runner import Runner
from mmpose.engine.hooks import PoseVisualizationHook
from mmpose.registry import HOOKS
from mmpose.structures import PoseDataSample

from hanet_mm.core.data.atomic import shorten_stem

_VISUALIZER = 'PoseSequenceVisualizer'


@HOOKS.register_module()
class PoseSequenceVisualizationHook(PoseVisualizationHook):
    """Draw estimate, refined poses and truth of sequences.

    In a test every ``interval``-th sequence is drawn, while validating the
    first of every ``interval``-th batch, by
    :meth:`hanet_mm.visualization.PoseSequenceVisualizer.add_datasample`.
    Files are called after the sequence and its number in the data set; each
    process of several draws its own. Without ``out_dir`` pictures go to the
    visualizer's backends, such as TensorBoard.

    Args:
        enable (bool): Whether to draw.
        interval (int): See above.
        show (bool): Whether to open windows; backends then get nothing.
        wait_time (float): How long each is shown, in seconds.
        out_dir (str, optional): Folder for the pictures; a relative one lies
            in ``<work_dir>/<timestamp>``, as in MMPose.
        **kwargs: Of :class:`mmpose.engine.hooks.PoseVisualizationHook`.

    Raises:
        ValueError: When a run begins, if there is no screen for ``show`` or
            the visualizer draws no sequences.
    """

    def __init__(self, enable: bool = False, **kwargs: Any) -> None:
        super().__init__(enable=enable, **kwargs)
        if enable and self.interval < 1:
            raise ValueError(
                f'{type(self).__name__}: interval: expected >= 1, found '
                f'{self.interval}'
            )

    def before_run(self, runner: Runner) -> None:
        """Check that drawing is possible, and say where pictures will be."""
        if not self.enable:
            return
        if not hasattr(self._visualizer, 'draw_comparison'):
            raise ValueError(
                f'{type(self).__name__}: expected visualizer.type = '
                f'{_VISUALIZER!r}, found {type(self._visualizer).__name__!r}'
            )
        if self.show:
            # Only here: it needs OpenCV.
            from hanet_mm.visualization.window import check_screen

            check_screen('--show-dir DIR writes pictures')
        if self.out_dir is not None:
            folder = self._folder(runner)
            print_log(f'pictures of sequences: {folder}', logger='current')

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict,
        outputs: Sequence[PoseDataSample],
    ) -> None:
        """Draw the first sequence of a batch, see the class."""
        if self.enable and batch_idx % self.interval == 0:
            meta = runner.val_evaluator.dataset_meta
            name = f'{sequence_name(outputs[0])}_iter_{runner.iter}'
            self.draw(runner, outputs[0], name, meta, runner.iter)

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict,
        outputs: Sequence[PoseDataSample],
    ) -> None:
        """Draw sequences of a batch, see the class."""
        if not self.enable:
            return
        for sample in outputs:
            if self._test_index % self.interval == 0:
                meta = runner.test_evaluator.dataset_meta
                name = sequence_name(sample)
                self.draw(runner, sample, name, meta, self._test_index)
            self._test_index += 1

    def after_test_epoch(
        self, runner: Runner, metrics: Optional[dict] = None
    ) -> None:
        """Count the sequences of the next test from 0."""
        self._test_index = 0

    def draw(
        self,
        runner: Runner,
        sample: PoseDataSample,
        name: str,
        dataset_meta: dict,
        step: int,
    ) -> None:
        """Draw a sequence under a name."""
        self._visualizer.set_dataset_meta(dataset_meta)
        out_file = None
        if self.out_dir is not None:
            out_file = str(self._folder(runner) / f'{name}.png')
        self._visualizer.add_datasample(
            name,
            None,
            sample,
            show=self.show,
            wait_time=self.wait_time,
            out_file=out_file,
            step=step,
        )

    def _folder(self, runner: Runner) -> Path:
        return Path(runner.work_dir, runner.timestamp, str(self.out_dir))


def sequence_name(sample: PoseDataSample) -> str:
    """Name of a sequence that fits in a file name and is its alone."""
    name = str(sample.get('seq_name', 'sequence'))
    if 'seq_id' in sample:
        name = f'{name}_{sample.seq_id}'
    return shorten_stem(re.sub(r'[^\w.,=+-]+', '_', name))
