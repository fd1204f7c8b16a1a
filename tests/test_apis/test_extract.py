# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm extract`` with stages that read the answer from the picture."""

import cv2
import numpy as np
import pytest
from blob_world import (
    NAMES,
    BlobDetector,
    BlobEstimator,
    draw,
    truth,
    write_video,
)
from extract_world import (
    FRAMES,
    Models,
    both,
    left,
    make_command,
    right,
    write_annotations,
)

from hanet_mm.core.data.sequences import (
    load_pose_sequences,
)


@pytest.fixture
def command(monkeypatch, tmp_path):
    return make_command(monkeypatch, tmp_path)


class PlaceEstimator(BlobEstimator):
    """Knows who is in a box by its middle, not by the score."""

    def __init__(self):
        super().__init__()
        self.boxes = []

    def _estimate(self, frame):
        self.boxes.append(frame.bboxes)
        who = []
        for x1, y1, x2, y2 in np.rint(frame.bboxes).astype(int):
            seen = frame.image[max(y1, 0) : y2, max(x1, 0) : x2, 0]
            who.append(np.bincount(seen[seen > 0]).argmax() - 1)
        scores = [0.5 + x / 1000 for x in who]
        frame.bbox_scores = np.array(scores, np.float32)
        super()._estimate(frame)


def test_two_people_share_a_video(command, tmp_path):
    """Each gets the own pose, whatever the order of the detections is."""
    write_video(tmp_path / 'videos/a.avi', both())
    write_annotations('in.npz', ['a', 'a'], [left, right])
    report = command()
    found = load_pose_sequences('out.npz')
    np.testing.assert_allclose(found.keypoints_est, found.keypoints_gt)
    np.testing.assert_allclose(found.scores, 0.9)
    assert found.seq_name.tolist() == ['a', 'a']
    assert found.meta['dataset'] == 'blobs'
    assert found.meta['estimator'] == 'human'
    np.testing.assert_array_equal(found.image_size, [[96, 64]] * 2)
    np.testing.assert_array_equal(found.fps, [25, 25])
    assert '12 annotated poses, 0 (0.0 %) not found' in report
    assert not (tmp_path / 'out.npz.parts').exists()


def test_one_to_one(command, tmp_path):
    """A missed person does not get the neighbour's pose."""

    def near(t):
        return 20 + t, 21

    frames = [draw({0: near(t), 1: left(t)}) for t in range(FRAMES)]
    write_video(tmp_path / 'videos/a.avi', frames)
    write_annotations('in.npz', ['a', 'a'], [left, near])
    command.models = Models(BlobDetector(missed=[(2, 1), (5, 0)]))
    report = command()
    found = load_pose_sequences('out.npz')
    missed = np.zeros(2 * FRAMES, bool)
    missed[[2, FRAMES + 5]] = True
    assert np.isnan(found.keypoints_est[missed]).all()
    assert (found.scores[missed] == 0).all()
    np.testing.assert_allclose(
        found.keypoints_est[~missed], found.keypoints_gt[~missed]
    )
    assert '2 (16.7 %) not found' in report


def test_far_person_is_nobody(command, tmp_path):
    """Somebody who is not annotated is not taken for who is missed."""
    frames = [draw({0: right(t)}) for t in range(FRAMES)]
    write_video(tmp_path / 'videos/a.avi', frames)
    write_annotations('in.npz', ['a'], [left])
    assert '6 (100.0 %) not found' in command()
    found = load_pose_sequences('out.npz', allow_empty=True)
    assert np.isnan(found.keypoints_est).all()


def test_wrong_pose_is_matched_by_its_box(command, tmp_path):
    """An error of the estimator stays in the file."""

    class Mirrored(BlobEstimator):
        def _estimate(self, frame):
            super()._estimate(frame)
            frame.keypoints = frame.keypoints[:, ::-1]

    write_video(tmp_path / 'videos/a.avi', both())
    write_annotations('in.npz', ['a', 'a'], [left, right])
    command.models = Models(estimator=Mirrored())
    command()
    found = load_pose_sequences('out.npz')
    np.testing.assert_allclose(
        found.keypoints_est, found.keypoints_gt[:, ::-1]
    )


def test_maps_keypoints_by_name(command, tmp_path):
    """Another order, fewer keypoints, and one nobody can estimate."""
    names = ['right_foot', 'tail', 'nose', 'left_hand']
    order = [4, 0, 0, 1]
    points = np.stack([truth(left(t))[order] for t in range(FRAMES)])
    write_video(tmp_path / 'videos/a.avi', both())
    write_annotations(
        'in.npz',
        ['a'],
        [left],
        keypoints_est=np.zeros((FRAMES, 4, 2)),
        scores=np.ones((FRAMES, 4)),
        keypoints_gt=points,
        meta=dict(keypoint_names=names),
    )
    report = command()
    found = load_pose_sequences('out.npz')
    assert found.meta['keypoint_names'] == names
    np.testing.assert_allclose(
        found.keypoints_est[:, [0, 2, 3]], points[:, [0, 2, 3]]
    )
    assert np.isnan(found.keypoints_est[:, 1]).all()
    assert (found.scores[:, 1] == 0).all()
    assert 'not there: tail' in report


def test_names_of_the_estimator(command, tmp_path):
    write_video(tmp_path / 'videos/a.avi', both())
    write_annotations('in.npz', ['a'], [left], meta={})
    command()
    assert load_pose_sequences('out.npz').meta['keypoint_names'] == NAMES


def test_frame_numbers_and_sparse_annotation(command, tmp_path):
    """Only numbered frames are read; those in between are matched too."""
    numbers = np.arange(2, 2 + 2 * FRAMES, 2)
    frames = [draw({0: left(t)}) for t in range(2 * FRAMES + 3)]
    (tmp_path / 'videos/x/a').mkdir(parents=True)
    for t, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / f'videos/x/a/{t}.png'), frame)
    visible = np.ones((FRAMES, len(NAMES)))
    visible[[1, 2, 3, 5]] = 0
    points = np.stack([truth(left(t)) for t in numbers])
    write_annotations(
        'in.npz',
        ['x/a'],
        [left],
        keypoints_gt=np.where(visible[..., None] > 0, points, np.nan),
        visible=visible,
        extras=dict(frame_number=numbers, betas_est=np.zeros((FRAMES, 3))),
    )
    report = command()
    found = load_pose_sequences('out.npz')
    # After the last annotated frame nothing is known of the person.
    np.testing.assert_allclose(found.keypoints_est[:5], points[:5])
    assert np.isnan(found.keypoints_est[5]).all()
    assert '2 annotated poses, 0 (0.0 %) not found' in report
    assert command.models.reader.detector.frames == FRAMES
    assert sorted(found.extras) == ['frame_number']
    assert found.fps is None


def test_detector_interval(command, tmp_path):
    """With boxes carried from frame to frame all frames are looked at."""
    numbers = np.arange(0, 2 * FRAMES, 2)
    frames = [draw({0: left(t)}) for t in range(2 * FRAMES)]
    write_video(tmp_path / 'videos/a.avi', frames)
    write_annotations(
        'in.npz',
        ['a'],
        [lambda t: left(2 * t)],
        extras=dict(frame_number=numbers),
    )
    command.models = Models(det_interval=4)
    command()
    found = load_pose_sequences('out.npz')
    np.testing.assert_allclose(found.keypoints_est, found.keypoints_gt)
    assert command.models.reader.detector.frames == 3  # of 11: 0, 4, 8


def test_annotated_boxes(command, tmp_path):
    """Each person's box, 25 % larger; no detector is run."""
    write_video(tmp_path / 'videos/a.avi', both())
    points = [
        truth(place(t)) for place in (left, right) for t in range(FRAMES)
    ]
    boxes = np.array([[*x.min(0), *x.max(0)] for x in points])
    visible = np.ones((2 * FRAMES, len(NAMES)))
    visible[FRAMES - 1] = 0
    write_annotations(
        'in.npz', ['a', 'a'], [left, right], bboxes=boxes, visible=visible
    )
    command.models = Models(estimator=PlaceEstimator())
    command('--gt-boxes')
    found = load_pose_sequences('out.npz')
    there = visible.any(1)
    np.testing.assert_allclose(
        found.keypoints_est[there], found.keypoints_gt[there]
    )
    assert np.isnan(found.keypoints_est[~there]).all()
    # From (6, 12) to (24, 36): 1/8 of 18 and 24 px on each side.
    np.testing.assert_allclose(
        command.models.reader.estimator.boxes[0][0], [3.75, 9, 26.25, 39]
    )
    assert command.models.reader.detector.frames == 0
    assert command.made[0].det_model == 'whole_image'


def test_annotated_boxes_need_a_top_down_estimator(command, tmp_path):
    write_video(tmp_path / 'videos/a.avi', both())
    write_annotations('in.npz', ['a'], [left])
    command.models.reader.detector = None
    with pytest.raises(ValueError, match='works in boxes'):
        command('--gt-boxes')


def test_picture_size_is_checked(command, tmp_path):
    write_video(tmp_path / 'videos/a.avi', both())
    size = np.array([[48, 32]])
    write_annotations('in.npz', ['a'], [left], image_size=size)
    with pytest.raises(ValueError, match=r'expected 48 x 32 px .* 96 x 64'):
        command()


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(keypoints_gt=None), "'keypoints_gt' is missing"),
        (dict(meta=dict(units='m')), 'expected .* in px, found'),
        (dict(seq_name=np.array(['../a'])), r"seq_name: .*'\.\./a'"),
        (
            dict(extras=dict(frame_number=np.full(FRAMES, -1))),
            'frame_number.*integers from 0',
        ),
    ],
)
def test_wrong_annotations(command, changes, message):
    write_annotations('in.npz', ['a'], [left], **changes)
    with pytest.raises(ValueError, match=message):
        command()
    assert not command.made  # told before models are loaded


def test_two_videos_of_a_name(command, tmp_path):
    for suffix in ('avi', 'mkv'):
        (tmp_path / f'videos/a.{suffix}').touch()
    write_annotations('in.npz', ['a'], [left])
    with pytest.raises(ValueError, match=r'found a\.avi and a\.mkv'):
        command()


def test_detector_and_annotated_boxes(command):
    write_annotations('in.npz', ['a'], [left])
    with pytest.raises(ValueError, match='--gt-boxes: runs no detector'):
        command('--gt-boxes', '--det-model', 'rtmdet')
