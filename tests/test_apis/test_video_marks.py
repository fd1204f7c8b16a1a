# Copyright (c) hanet_mm contributors. All rights reserved.
"""Why keypoints changed: files of videos say it as those of refine do."""

import json

import numpy as np
import pytest
from walking_people import across

from hanet_mm import StreamingRefiner, load_refiner
from hanet_mm.apis.refine import refine_file
from hanet_mm.apis.video.adapter import SkeletonAdapter
from hanet_mm.apis.video.frames import Frame
from hanet_mm.apis.video.outputs import JsonOutput, NpzOutput
from hanet_mm.apis.video.refine_stage import RefineStage
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.trust import REASONS

FRAMES, FPS = 70, 30
COCO = SKELETONS['coco17'].keypoint_names
FLIP = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
SWAPPED, GONE, FAR = slice(20, 27), slice(45, 48), 60
# Frames with a keypoint that nobody can mean, the first one of them swapped.
NOWHERE = 23, 53
WRIST, ANKLE = COCO.index('left_wrist'), COCO.index('right_ankle')


def person():
    """A walker with a swap, a missing wrist, an ankle far off and one out of
    the world: keypoints (T, 17, 2) and scores (T, 17).
    """
    walker = across(80, 560, 400, (0, FRAMES - 1))
    points = np.stack([walker.pose(t) for t in range(FRAMES)])
    points += np.random.default_rng(0).normal(0, 0.5, points.shape)
    points[SWAPPED] = points[SWAPPED][:, FLIP]
    points[FAR, ANKLE] += 300
    points[NOWHERE, ANKLE] = 30_000
    scores = np.full(points.shape[:2], 0.9)
    scores[GONE, WRIST] = 0
    return points.astype(np.float32), scores.astype(np.float32)


def refined_by_command(tmp_path, points, scores, names):
    """Instances of the file that ``hanet-mm refine`` makes."""
    content = dict(
        meta_info=dict(keypoint_id2name=dict(enumerate(names))),
        instance_info=[
            dict(
                frame_id=t,
                instances=[
                    dict(
                        track_id=0,
                        keypoints=points[t].tolist(),
                        keypoint_scores=scores[t].tolist(),
                    )
                ],
            )
            for t in range(FRAMES)
        ],
    )
    source, out = tmp_path / 'given.json', tmp_path / 'refined.json'
    source.write_text(json.dumps(content), encoding='utf-8')
    refine_file(source, out, 'coco17-2d', fps=FPS)
    frames = json.loads(out.read_text('utf-8'))['instance_info']
    return [x['instances'][0] for x in frames]


def run_stage(stage, points, scores):
    """Finished frames of a video with one person."""
    frames = []
    for t in range(FRAMES):
        frame = Frame(
            t,
            None,
            t / FPS,
            bboxes=np.array([[0, 0, 9, 9.0]]),
            bbox_scores=np.ones(1),
            keypoints=points[t][None],
            keypoint_scores=scores[t][None],
            track_ids=np.zeros(1, int),
            segments=np.zeros(1, int),
            size=(640, 480),
        )
        stage.push(frame)
        frames.append(frame)
    stage.flush()
    for frame in frames:
        frame.finish()
    return frames


@pytest.mark.parametrize('order', [1, -1])
def test_a_video_says_why_as_refine_does(tmp_path, order):
    names = COCO[::order]
    points, scores = (x[:, ::order] for x in person())
    expected = refined_by_command(tmp_path, points, scores, names)
    refiner = load_refiner('coco17-2d')
    stage = RefineStage(
        StreamingRefiner(refiner, FRAMES, fps=FPS),
        SkeletonAdapter(names, refiner.keypoint_names),
    )
    outputs = JsonOutput(tmp_path / 'a.json'), NpzOutput(tmp_path / 'a.npz')
    for frame in run_stage(stage, points, scores):
        for output in outputs:
            output.write(frame)
    for output in outputs:
        output.finish()
    frames = json.loads((tmp_path / 'a.json').read_text('utf-8'))
    with np.load(tmp_path / 'a.npz') as arrays:
        for key in ('filled', 'swapped', 'reason'):
            own = [x['instances'][0][key] for x in frames]
            assert own == [x[key] for x in expected]
            assert arrays[key].tolist() == own
    reason = np.array(own)[:, ::order]
    assert REASONS[reason[GONE, WRIST].max()] == 'missing'
    assert REASONS[reason[FAR, ANKLE]] == 'outlier'
    swapped, alone = NOWHERE
    assert REASONS[reason[swapped, FLIP[ANKLE]]] == 'outlier'
    assert REASONS[reason[swapped, ANKLE]] == 'swapped'
    assert REASONS[reason[alone, ANKLE]] == 'outlier'
    assert REASONS[reason[SWAPPED, WRIST].max()] == 'swapped'


def test_frames_without_marks_are_zero_beside_others(tmp_path):
    def frame(index, **more):
        points = np.ones((1, 3, 2), np.float32)
        return Frame(
            index,
            None,
            bboxes=np.ones((1, 4), np.float32),
            bbox_scores=np.ones(1),
            keypoints=points,
            keypoint_scores=np.ones((1, 3), np.float32),
            track_ids=np.zeros(1, int),
            segments=np.zeros(1, int),
            refined=points,
            filled=np.zeros((1, 3), bool),
            **more,
        )

    plain, marked = frame(0), frame(1)
    marked.mark(0, 'swapped', np.array([True, False, True]))
    assert 'swapped' not in plain.result()['instances'][0]
    assert marked.result()['instances'][0].keys() >= {'filled', 'swapped'}
    output = NpzOutput(tmp_path / 'a.npz')
    for given in (plain, marked):
        output.write(given)
    output.finish()
    with np.load(output.path) as arrays:
        assert 'reason' not in arrays
        assert arrays['swapped'].dtype == bool
        assert arrays['swapped'].tolist() == [[False] * 3, [True, False, True]]
