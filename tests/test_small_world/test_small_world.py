# Copyright (c) hanet_mm contributors. All rights reserved.
"""The rendered world, and what its detector and estimator achieve on it."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from small_world import models
from small_world.people import CAPSULES
from small_world.render import OCCLUDER, make_clip, write_clip

from hanet_mm import load_refiner
from hanet_mm.datasets.simulation.body import JHMDB_KEYPOINT_NAMES as NAMES

pytestmark = pytest.mark.mm

# No script trains on clips of seeds below 100 000.
HELD_OUT = range(500, 516)
MAX_BYTES = 1_500_000


@pytest.fixture(scope='module')
def plain_clip():
    """One person, nothing in front, no sensor noise."""
    return make_clip(3, 12, 1, occluders=0, sensor_noise=0.0)


@pytest.fixture(scope='module')
def clips():
    """Held-out clips, few frames far apart, of one to three people."""
    return [
        make_clip(seed, 3, i % 3 + 1, fps=2.0, occluders=i % 3)
        for i, seed in enumerate(HELD_OUT)
    ]


@pytest.fixture(scope='module')
def world():
    """Detector and estimator as any user loads them."""
    pytest.importorskip('mmdet')
    from small_world.estimates import load_models

    return load_models()


def test_shapes_and_types(plain_clip):
    assert plain_clip.frames.shape == (12, 192, 256, 3)
    assert plain_clip.frames.dtype == np.uint8
    assert plain_clip.keypoints.shape == (12, 1, 15, 2)
    assert plain_clip.visible.shape == (12, 1, 15)
    assert plain_clip.bboxes.shape == (12, 1, 4)
    assert plain_clip.owner.shape == (12, 192, 256)


def test_the_same_seed_gives_the_same_clip_and_another_another():
    first, again, other = (make_clip(s, 3, 2) for s in (8, 8, 9))
    np.testing.assert_array_equal(first.frames, again.frames)
    np.testing.assert_array_equal(first.keypoints, again.keypoints)
    assert np.abs(first.keypoints - other.keypoints).max() > 5
    different = np.abs(first.frames.astype(int) - other.frames)
    assert different.mean() > 20


@pytest.mark.parametrize('side', ['left', 'right'])
def test_pixels_along_limbs_have_the_colours_of_the_limb(plain_clip, side):
    """Where the lower arm is not hidden it shows its own cloth."""
    colours = plain_clip.colours[0]
    expected = colours['forearm'] * (colours['left'] if side == 'left' else 1)
    elbow, wrist = (
        plain_clip.keypoints[:, 0, NAMES.index(f'{side}_{part}')]
        for part in ('elbow', 'wrist')
    )
    middle = np.round(0.5 * (elbow + wrist)).astype(int)
    seen = plain_clip.frames[np.arange(12), middle[:, 1], middle[:, 0]]
    # Shading changes the brightness, not the hue.
    cosine = seen @ expected / np.linalg.norm(seen, axis=-1)
    assert np.median(cosine / np.linalg.norm(expected)) > 0.995


def test_keypoints_lie_on_the_person_and_nowhere_else_is_one(plain_clip):
    """Without occluders all is visible, and the box holds all pixels."""
    assert plain_clip.visible.all()
    for owner, box in zip(plain_clip.owner, plain_clip.bboxes[:, 0]):
        rows, columns = np.nonzero(owner)
        found = [columns.min(), rows.min(), columns.max(), rows.max()]
        np.testing.assert_allclose(found, box, atol=1.5)


def test_limbs_are_painted_from_joint_to_joint():
    """Halfway along every limb, of anybody in any posture, is the person."""
    limbs = ('shoulder elbow', 'elbow wrist', 'hip knee', 'knee ankle')
    for seed in range(6):
        clip = make_clip(seed, 6, 1, fps=3.0, occluders=0)
        assert clip.visible.all()
        for side in ('left', 'right'):
            for limb in limbs:
                ends = [NAMES.index(f'{side}_{x}') for x in limb.split()]
                middle = clip.keypoints[:, 0, ends].mean(1)
                x, y = np.round(middle).astype(int).T
                assert clip.owner[np.arange(6), y, x].all(), (seed, limb)


def test_left_and_right_differ_little(plain_clip):
    """One factor tells the sides apart, below a fifth of the brightness."""
    sides = {x.ends[1].partition('_')[0] for x in CAPSULES}
    assert {'left', 'right'} <= sides
    assert 0.8 < plain_clip.colours[0]['left'] < 0.95


def test_occluders_hide():
    """Where an occluder is, a keypoint is not visible."""
    clip = make_clip(11, 25, 2, occluders=4, fps=5.0)
    place = np.round(clip.keypoints).astype(int)
    frame = np.arange(25)[:, None, None]
    under = clip.owner[frame, place[..., 1], place[..., 0]] == OCCLUDER
    assert 0.02 < under.mean() < 0.9
    assert not clip.visible[under].any()
    free = make_clip(11, 25, 2, occluders=0, fps=5.0)
    np.testing.assert_array_equal(clip.keypoints, free.keypoints)
    assert free.visible[under].mean() > 0.7


def test_nearer_people_hide_farther_ones():
    """Whoever is painted over another's keypoint is nearer, and larger."""
    checked = 0
    for seed in range(6):
        clip = make_clip(seed, 4, 4, fps=2.0, occluders=0)
        place = np.round(clip.keypoints).astype(int)
        frame = np.arange(4)[:, None, None]
        owner = clip.owner[frame, place[..., 1], place[..., 0]].astype(int)
        t, person, joint = np.nonzero((owner > 0) & (clip.visible == 0))
        painted = owner[t, person, joint] - 1
        assert (painted != person).all()
        assert (clip.depths[t, painted] < clip.depths[t, person]).all()
        checked += len(t)
    assert checked > 30


def test_people_far_away_are_small():
    """An arm's pixels times its distance: the same at any distance."""
    clip = make_clip(2, 1, 4, occluders=0)
    sizes = clip.bboxes[0, :, 3] - clip.bboxes[0, :, 1]
    focal = sizes * clip.depths[0]
    assert np.ptp(clip.depths[0]) > 0.5
    assert focal.max() / focal.min() < 1.6  # they stoop, and differ in build


def test_nobody_is_allowed():
    clip = make_clip(0, 2, 0)
    assert clip.keypoints.shape == (2, 0, 15, 2)
    assert set(np.unique(clip.owner)) <= {0, OCCLUDER}


@pytest.mark.parametrize('suffix', ['.mp4', '.avi'])
def test_videos_hold_the_frames(tmp_path, suffix):
    clip = make_clip(5, 6, 1, sensor_noise=0.0)
    path = tmp_path / f'clip{suffix}'
    write_clip(clip, path, fps=30)
    video = cv2.VideoCapture(str(path))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(30)
    frames = [video.read()[1] for _ in range(6)]
    assert not video.read()[0]
    error = np.abs(np.array(frames).astype(int) - clip.frames)
    assert error.mean() < 8


def test_video_that_cannot_be_written(tmp_path):
    with pytest.raises(OSError, match=r'missing/clip\.avi: cannot write'):
        write_clip(make_clip(0, 1, 0), tmp_path / 'missing' / 'clip.avi')


def test_weights_are_small_and_plain():
    """Together below 3 MB, and no pickled code among them."""
    folder = Path(models.DETECTOR_WEIGHTS).parent
    sizes = [path.stat().st_size for path in folder.iterdir()]
    assert max(sizes) < MAX_BYTES
    assert sum(sizes) < 2 * MAX_BYTES
    for path in (models.DETECTOR_WEIGHTS, models.ESTIMATOR_WEIGHTS):
        content = torch.load(path, weights_only=True, map_location='cpu')
        assert all(
            isinstance(x, torch.Tensor) for x in content['state_dict'].values()
        )


def test_detector_finds_people_on_held_out_clips(world, clips):
    from small_world.estimates import detect

    average, recall = _average_precision(
        [
            (boxes, detect(world[0], frame))
            for clip in clips
            for frame, boxes in zip(clip.frames, clip.bboxes)
        ]
    )
    assert world[0].dataset_meta['classes'] == ('person',)
    assert average > 0.75
    assert recall > 0.75


def _average_precision(frames):
    """Area under the precision-recall curve at IoU 0.5, and recall at 0.3."""
    from hanet_mm.core.poses.boxes import box_iou

    rows, people = [], sum(len(truth) for truth, _ in frames)
    for truth, found in frames:
        overlap = box_iou(found[:, :4], truth[:, :4])
        taken = set()
        for each, box in zip(overlap, found):
            free = [i for i in np.argsort(-each) if i not in taken]
            hit = bool(free) and each[free[0]] > 0.5
            taken.update(free[:1] if hit else [])
            rows.append((box[4], hit))
    rows.sort(reverse=True)
    hits = np.array([hit for _, hit in rows], dtype=float)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    recall = sum(hit for score, hit in rows if score > 0.3) / people
    return float((envelope * hits).sum() / people), recall


def test_estimator_is_decent_and_not_perfect(world, clips):
    from small_world.estimates import estimate_pose

    hits = []
    for clip in clips:
        for t, frame in enumerate(clip.frames):
            found, scores = estimate_pose(world[1], frame, clip.bboxes[t])
            error = np.linalg.norm(found - clip.keypoints[t], axis=-1)
            box = clip.bboxes[t]
            size = (box[:, 2:] - box[:, :2]).max(-1)
            hits.append((error < 0.1 * size[:, None]).ravel())
            assert scores.shape == error.shape
    share = np.concatenate(hits).mean()
    names = world[1].dataset_meta['keypoint_id2name']
    assert tuple(names[i] for i in range(15)) == NAMES
    assert 0.8 < share < 0.98


def test_refiner_lowers_the_errors_of_held_out_clips(world):
    """Detector, estimator and refiner on clips that none of them saw."""
    from small_world.estimates import compare, estimate_clip

    from hanet_mm.core.data.sequences import PoseSequences

    found = PoseSequences.concatenate(
        [
            estimate_clip(make_clip(seed, 40, 2), str(seed), *world)
            for seed in (700, 701, 702)
        ]
    )
    refiner = load_refiner(models.REFINER_WEIGHTS)
    assert tuple(refiner.keypoint_names) == NAMES
    figures = compare(found, refiner)
    before, after = figures['input'], figures['refined']
    assert after['MPJPE'] < before['MPJPE']
    assert after['Accel'] < 0.6 * before['Accel']
