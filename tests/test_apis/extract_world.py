# Copyright (c) hanet_mm contributors. All rights reserved.
"""Annotated videos, and models that read the answer from them."""

import argparse

import numpy as np
from blob_world import (
    NAMES,
    BlobDetector,
    BlobEstimator,
    draw,
    truth,
)

from hanet_mm.apis.commands import extract
from hanet_mm.apis.video.pipeline import PoseReader
from hanet_mm.core.data.sequences import (
    PoseSequences,
    save_pose_sequences,
)

FRAMES = 6


class Models:
    """What an extraction needs of an inferencer."""

    keypoint_names = NAMES

    def __init__(self, detector=None, estimator=None, det_interval=1):
        self.reader = PoseReader(
            detector or BlobDetector(),
            estimator or BlobEstimator(),
            det_interval,
            batch_size=4,
        )


def left(t):
    return 15 + t, 12


def right(t):
    return 70 - t, 20


def write_annotations(path, names, places, **changes):
    """Persons places[s](t) of the videos names[s], FRAMES frames each."""
    truths = [truth(place(t)) for place in places for t in range(FRAMES)]
    fields = dict(
        keypoints_est=np.full((len(truths), len(NAMES), 2), np.nan),
        scores=np.zeros((len(truths), len(NAMES))),
        seq_len=np.full(len(names), FRAMES),
        seq_name=np.array(names),
        keypoints_gt=np.stack(truths),
        meta=dict(units='px', keypoint_names=list(NAMES), dataset='blobs'),
    )
    fields.update(changes)
    save_pose_sequences(path, PoseSequences(**fields))
    return path


def both(frames=FRAMES):
    """Both persons; number 0 is on the right."""
    return [draw({0: right(t), 1: left(t)}) for t in range(frames)]


def make_command(monkeypatch, tmp_path):
    """Run the subcommand in a folder of its own; ``models`` may be set."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'videos').mkdir()

    def make_inferencer(args):
        run.made.append(args)
        return run.models

    def run(*more, source='in.npz'):
        parser = argparse.ArgumentParser()
        extract.add_parser(parser.add_subparsers())
        args = parser.parse_args(
            ['extract', str(source), '--videos', 'videos', '-o', 'out.npz']
            + [str(x) for x in more]
        )
        return args.run(args)

    monkeypatch.setattr(extract, 'make_inferencer', make_inferencer)
    run.models, run.made = Models(), []
    return run
