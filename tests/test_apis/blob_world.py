# Copyright (c) hanet_mm contributors. All rights reserved.
"""A world whose pictures say what is in them, and stages that read it.

A keypoint is a square of 3 x 3 pixels; its colour says of whom and which it
is. Detector and estimator read colours, so their answers are exact and no
model is needed.
"""

import cv2
import numpy as np

from hanet_mm.apis.tracking import TrackedFrame
from hanet_mm.apis.video.frames import Frame
from hanet_mm.apis.video.pipeline import PoseReader, VideoPipeline
from hanet_mm.apis.video.refine_stage import RefineStage, SkeletonAdapter
from hanet_mm.apis.video.sources import FrameSource

NAMES = ['nose', 'left_hand', 'right_hand', 'left_foot', 'right_foot']
LINKS = [(0, 1), (0, 2), (0, 3), (0, 4)]
# Of each keypoint, from the first one.
SHAPE = np.array([(0, 0), (-9, 8), (9, 8), (-6, 24), (6, 24)])
# What LateStream adds to keypoints.
OFFSET = 0.25


def draw(people, size=(96, 64), hidden=()):
    """Draw persons {number: (x, y)}; hidden: pairs (number, keypoint)."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for person, place in people.items():
        for k, (x, y) in enumerate(SHAPE + place):
            if (person, k) not in hidden:
                image[y - 1 : y + 2, x - 1 : x + 2] = (person + 1, k + 1, 255)
    return image


def truth(place):
    """Keypoints (K, 2) of a person."""
    return (SHAPE + place).astype(np.float32)


def walk(frames, size=(96, 64)):
    """One person who moves by a pixel in each frame, to and fro."""
    for t in range(frames):
        yield draw({0: place_at(t)}, size)


def place_at(t):
    """Where the walker is in frame t."""
    return 15 + abs((t + 40) % 80 - 40), 20


class BlobDetector:
    """Finds all persons; the score says who it is."""

    def __init__(self, missed=()):
        self.missed = set(missed)  # pairs (call of a frame, person)
        self.batches = []
        self.frames = 0

    def __call__(self, frames):
        self.batches.append(len(frames))
        for frame in frames:
            rows = self._detect(frame.image)
            frame.bboxes, frame.bbox_scores = rows[:, :4], rows[:, 4]

    def _detect(self, image):
        frame, self.frames = self.frames, self.frames + 1
        people = np.unique(image[..., 0])
        rows = []
        for person in people[people > 0].astype(int) - 1:
            if (frame, person) in self.missed:
                continue
            y, x = np.nonzero(image[..., 0] == person + 1)
            score = 0.5 + person / 1000
            rows.append((x.min(), y.min(), x.max() + 1, y.max() + 1, score))
        return np.array(rows, np.float32).reshape(-1, 5)


class BlobEstimator:
    """Reads the keypoints in each box; one that is not there has score 0."""

    def __init__(self):
        self.batches = []

    def __call__(self, frames):
        self.batches.append([len(frame) for frame in frames])
        for frame in frames:
            self._estimate(frame)

    def _estimate(self, frame):
        image = frame.image
        points = np.zeros((len(frame), len(NAMES), 2), np.float32)
        scores = np.zeros((len(frame), len(NAMES)), np.float32)
        for row, box in enumerate(frame.bboxes):
            person = round((float(frame.bbox_scores[row]) - 0.5) * 1000)
            left, top = np.maximum(np.floor(box[:2]).astype(int), 0)
            right, bottom = np.ceil(box[2:]).astype(int)
            part = image[top:bottom, left:right]
            for k in range(len(NAMES)):
                of_it = (part[..., 0] == person + 1) & (part[..., 1] == k + 1)
                y, x = np.nonzero(of_it)
                if len(x):
                    points[row, k] = x.mean() + left, y.mean() + top
                    scores[row, k] = 0.9
        frame.keypoints, frame.keypoint_scores = points, scores


class BlobTracker:
    """Knows everybody by the score; jumps: frames with a new segment."""

    def __init__(self, jumps=()):
        self.jumps = jumps

    def reset(self):
        pass

    def update(self, frame_index, bboxes, bbox_scores, keypoints, scores):
        ids = np.rint((bbox_scores - 0.5) * 1000).astype(np.int64)
        segment = sum(frame_index >= jump for jump in self.jumps)
        return TrackedFrame(ids, np.full(len(ids), segment, np.int64))


class LateStream:
    """A streaming refiner that adds OFFSET and repeats what is missing."""

    def __init__(self, lookahead):
        self.lookahead = lookahead
        self.tracks = {}
        self.persons_at_once = []

    def push_many(self, poses, timestamp=None):
        self.persons_at_once.append(len(poses))
        out = {}
        for key, (keypoints, scores) in poses.items():
            frames = self.tracks.setdefault(key, [])
            missing = ~(scores > 0) | np.isnan(keypoints).any(-1)
            frames.append((keypoints, missing))
            out[key] = []
            if len(frames) > self.lookahead:
                out[key] = [self._refine(frames)]
        return out

    def flush(self, track_id):
        frames = self.tracks.pop(track_id, [])
        return [self._refine(frames) for _ in range(len(frames))]

    def _refine(self, frames):
        keypoints, missing = frames.pop(0)
        last = getattr(self, 'last', keypoints)
        keypoints = np.where(missing[:, None], last, keypoints)
        self.last = keypoints
        return StreamFrame(keypoints + OFFSET, missing)


class StreamFrame:
    """What a streaming refiner gives."""

    def __init__(self, keypoints, filled):
        self.keypoints, self.filled = keypoints, filled


def make_pipeline(
    stream=None, detector=None, tracker=None, max_gap=10, **options
):
    """A pipeline of the stages above; stream may be made for a size."""
    reader = PoseReader(detector or BlobDetector(), BlobEstimator(), **options)

    def make_refine(size):
        made = stream(size) if callable(stream) else stream
        return RefineStage(made, SkeletonAdapter(), max_gap)

    return VideoPipeline(reader, tracker or BlobTracker(), make_refine)


def run(pipeline, source):
    """What the user gets, frame by frame."""
    return (frame.result() for frame in pipeline.run(source))


class BlobInferencer:
    """Has what run_video needs of a PoseRefinementInferencer."""

    keypoint_names = NAMES
    links = LINKS
    refiner = 'a refiner'
    default_name = ''

    def __init__(self, lookahead=3):
        self.lookahead = lookahead

    def run(self, source, clock=None, keep=None):
        pipeline = make_pipeline(LateStream(self.lookahead), batch_size=4)
        return pipeline.run(source, clock, keep)


class FailingSource(FrameSource):
    """Gives some frames of the walker and then fails."""

    name = 'failing'
    fps = 25.0

    def __init__(self, frames, error, live=False):
        self.frames, self.error, self.live = frames, error, live

    def __iter__(self):
        for index, image in enumerate(walk(self.frames)):
            yield Frame(index, image, index / 25)
        raise self.error


def write_video(path, frames, fps=25):
    """Write a video without loss (.avi)."""
    frames = list(frames)
    writer = cv2.VideoWriter(
        str(path),
        cv2.VideoWriter_fourcc(*'FFV1'),
        fps,
        frames[0].shape[1::-1],
    )
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path
