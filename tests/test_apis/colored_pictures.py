# Copyright (c) hanet_mm contributors. All rights reserved.
"""Pictures that say by their colour who is in them."""

import argparse

import cv2
import numpy as np

from hanet_mm.apis.commands import extract
from hanet_mm.apis.video.pipeline import PoseReader
from hanet_mm.core.data.sequences import load_pose_sequences

SIZE = (96, 64)  # W, H


class World:
    """Pictures and the people in each: keypoints (K, 2) px."""

    def __init__(self, root, names):
        self.root, self.keypoint_names = root, list(names)
        self.people = []
        self.boxes = []  # that the estimator was given
        self.reader = PoseReader(self._detect, self._estimate, 1, 4)

    def add(self, name, *people):
        """Write a picture that has these people."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        color = len(self.people) + 1
        image = np.full((SIZE[1], SIZE[0], 3), color, np.uint8)
        cv2.imwrite(str(path.with_suffix('.png')), image)
        path.with_suffix('.png').rename(path)
        self.people.append(people)

    def person(self, offset):
        """Somebody who is nobody else."""
        rng = np.random.default_rng(int(1000 * offset))
        points = rng.uniform(0, 20, (len(self.keypoint_names), 2))
        return (points + [offset, 20]).astype(np.float32)

    def _of(self, frame):
        return self.people[int(frame.image[0, 0, 0]) - 1]

    def _detect(self, frames):
        for frame in frames:
            boxes = [[*x.min(0), *x.max(0)] for x in self._of(frame)]
            frame.bboxes = np.array(boxes, np.float32).reshape(-1, 4)
            frame.bbox_scores = np.ones(len(boxes), np.float32)

    def _estimate(self, frames):
        for frame in frames:
            self.boxes.append(frame.bboxes)
            shape = (len(frame.bboxes), len(self.keypoint_names))
            frame.keypoints = np.zeros((*shape, 2), np.float32)
            for row, box in enumerate(frame.bboxes):
                middle = (box[:2] + box[2:]) / 2
                frame.keypoints[row] = min(
                    self._of(frame),
                    key=lambda x: np.linalg.norm(
                        (x.min(0) + x.max(0)) / 2 - middle
                    ),
                )
            frame.keypoint_scores = np.full(shape, 0.9, np.float32)


def make_command(monkeypatch, tmp_path):
    """Run the subcommand over pictures of a world."""
    root = tmp_path / 'root'
    root.mkdir()

    def run(world, source, *more):
        monkeypatch.setattr(extract, 'make_inferencer', lambda _: world)
        parser = argparse.ArgumentParser()
        extract.add_parser(parser.add_subparsers())
        out = tmp_path / 'out.npz'
        args = ['extract', str(source), '--data-root', str(root)]
        args = parser.parse_args([*args, '-o', str(out), *more])
        report = args.run(args)
        return load_pose_sequences(out, allow_empty=True), report

    run.root = root
    return run
