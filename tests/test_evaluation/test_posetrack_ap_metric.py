# Copyright (c) hanet_mm contributors. All rights reserved.
"""PoseTrackAP over tracks that are put together by hand."""

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from hanet_mm.core.metrics.posetrack_ap import posetrack_ap
from hanet_mm.evaluation.posetrack_ap import PoseTrackAP

pytestmark = pytest.mark.mm

NAMES = (
    'nose head_bottom head_top left_shoulder right_shoulder left_elbow '
    'right_elbow left_wrist right_wrist left_hip right_hip left_knee '
    'right_knee left_ankle right_ankle'
).split()
COLUMNS = dict(
    Head=[0, 1, 2],
    Shoulder=[3, 4],
    Elbow=[5, 6],
    Wrist=[7, 8],
    Hip=[9, 10],
    Knee=[11, 12],
    Ankle=[13, 14],
)
META = dict(keypoint_name2id={name: k for k, name in enumerate(NAMES)})
HEAD = 20.0
PREFIX = dict(input='input', pred='refined')
# A pose about the origin that is larger than any hit.
POSE = np.stack([np.arange(15) % 4, np.arange(15) // 4], axis=-1) * 40.0
FAR = np.float32(5000)


def make_track(
    places,
    video='v',
    first=0,
    y=0.0,
    off=0.0,
    score=0.9,
    truth=True,
    found=True,
):
    """A person at (x, y) in each frame, all joints ``off`` px to the right.

    ``off`` may be (T, 15). ``truth`` and ``found`` say in which frames the
    person is annotated and detected.
    """
    length = len(places)
    gt = POSE + np.stack([places, np.full(length, y)], axis=-1)[:, None]
    gt = gt.astype(np.float32)
    pred = gt.copy()
    pred[..., 0] += off
    truth = np.broadcast_to(truth, length)
    found = np.broadcast_to(np.reshape(found, (-1, 1)), (length, 15))
    gt[~truth] = np.nan
    scores = np.where(found, score, 0).astype(np.float32)
    return dict(
        seq_name=video,
        gt_instances=dict(
            keypoints=gt,
            keypoints_visible=np.repeat(truth[:, None], 15, axis=1) * 1.0,
            frame_number=first + np.arange(length),
            annotated=np.ones(length, np.float32),
            head_size=np.where(truth, HEAD, np.nan).astype(np.float32),
        ),
        est_instances=dict(
            keypoints=pred.copy(),
            keypoint_scores=scores,
            keypoints_valid=found.copy(),
        ),
        pred_instances=dict(
            keypoints=pred,
            keypoint_scores=scores.copy(),
            refined_mask=np.ones(length, bool),
        ),
    )


def never_found(places, **kwargs):
    track = make_track(places, found=False, **kwargs)
    track['pred_instances']['keypoints'][:] = np.nan
    track['est_instances']['keypoints'][:] = 0
    return track


def evaluate(samples, meta=META, **kwargs):
    metric = PoseTrackAP(**kwargs)
    metric.dataset_meta = meta
    metric.process(None, samples)
    assert len(metric.results) == len(samples)
    return metric.evaluate(len(samples))


def mean_ap(samples, meta=META, **kwargs):
    kwargs.setdefault('prefix', 'p')
    return evaluate(samples, meta, **kwargs)['p/AP']


SOURCES = pytest.mark.parametrize('source', ['pred', 'input'])


# Figures known beforehand


@SOURCES
def test_perfect_missed_and_half(source):
    people = [make_track([0, 1, 2]), make_track([400, 401, 402])]
    missed = [never_found([0, 1, 2]), never_found([400, 401, 402])]
    result = evaluate(people, source=source, prefix='p')
    assert result == dict(
        {'p/AP': 100.0}, **{f'p/AP/{name}': 100.0 for name in COLUMNS}
    )
    assert set(evaluate(missed, source=source).values()) == {0.0}
    half = evaluate([people[0], missed[1]], source=source)
    assert set(half.values()) == {50.0}


@pytest.mark.parametrize('column', list(COLUMNS))
def test_a_column_is_the_mean_of_the_joints_of_its_name(column):
    off = np.zeros((1, 15))
    off[:, COLUMNS[column][1:]] = FAR
    result = evaluate([make_track([0], off=off)])
    size = len(COLUMNS[column])
    assert result.pop('refined/AP') == pytest.approx(
        100 * (15 - size + 1) / 15
    )
    assert result.pop(f'refined/AP/{column}') == pytest.approx(100 / size)
    assert list(result.values()) == [100.0] * 6


def test_a_joint_never_annotated_is_in_no_mean():
    off = np.zeros((2, 15))
    off[:, 13:] = FAR
    track = make_track([0, 1], off=off)
    track['gt_instances']['keypoints_visible'][:, [13, 14, 7]] = 0
    result = evaluate([track])
    assert np.isnan(result.pop('refined/AP/Ankle'))
    assert set(result.values()) == {100.0}


def test_columns_need_the_names_of_the_data_set():
    assert list(evaluate([make_track([0])], meta=None)) == ['refined/AP']


def test_thr_is_in_head_sizes():
    track = make_track([0], off=np.float32(0.4 * HEAD))
    assert mean_ap([track]) == 100
    assert mean_ap([track], thr=0.3) == 0


def test_assignment_by_score():
    """A high score takes the person from a better pose."""
    off = np.zeros((1, 15))
    off[:, 5:] = FAR
    people = [
        make_track([0], score=0.5),
        make_track([0], off=off, score=0.9, truth=False),
    ]
    # All joints found below a false person, or 5 of 15 found above one.
    assert mean_ap(people) == pytest.approx(50)
    assert mean_ap(people, assignment='score') == pytest.approx(100 * 5 / 15)


# Tracks of every kind


@SOURCES
def test_a_track_of_one_frame_and_one_that_starts_later(source):
    tracks = [
        make_track([0, 1, 2, 3]),
        make_track([400], first=3),
        make_track([800, 800], first=2, off=FAR, score=0.1),
    ]
    expected = 100 * 5 / 7
    assert mean_ap(tracks, source=source) == pytest.approx(expected)


@SOURCES
def test_nobody_tracked_is_false_where_somebody_is_annotated(source):
    person = make_track([0, 1], score=0.5)
    # In frames 1 to 3: the last two have no truth at all and are left out.
    nobody = make_track([FAR] * 3, first=1, truth=False, score=0.9)
    assert mean_ap([person, nobody], source=source) == pytest.approx(
        100 * 2 / 3
    )
    unlabelled = make_track([FAR] * 3, first=1, truth=False, score=0.9)
    unlabelled['gt_instances']['annotated'][:] = 0
    assert mean_ap([person, unlabelled], source=source) == 100


def test_an_annotated_frame_without_detection():
    """No prediction of the input; one of score 0 when refined."""
    person = make_track([0, 1, 2, 3], found=[1, 1, 0, 0])
    nobody = make_track([FAR], truth=False, score=0.3)
    assert mean_ap([person, nobody], source='input') == pytest.approx(50)
    # Ranked below the false one: 2 of 2, then 3 of 5 and 4 of 5 at once.
    assert mean_ap([person, nobody]) == pytest.approx(50 + 50 * 4 / 5)
    # Half of the joints only: the others are found in all frames.
    person['est_instances']['keypoints_valid'][2:, :3] = True
    result = evaluate([person, nobody], source='input', prefix='p')
    assert result['p/AP/Head'] == pytest.approx(50 + 50 * 4 / 5)
    assert result['p/AP/Hip'] == pytest.approx(50)


@SOURCES
@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_joint_that_is_no_number_is_missed_not_false(source, value):
    person = make_track([0, 1])
    part = dict(pred='pred_instances', input='est_instances')[source]
    person[part]['keypoints'][1, :, 1] = value
    person[part]['keypoint_scores'][1] = np.nan
    assert mean_ap([person], source=source) == 50


def test_frames_not_refined_count_as_their_estimate():
    person = make_track([0, 1, 2, 3])
    person['pred_instances']['refined_mask'][2:] = False
    person['pred_instances']['keypoints'][2:] = FAR
    person['pred_instances']['keypoint_scores'][2:] = 1
    assert mean_ap([person]) == 100
    person['est_instances']['keypoints_valid'][3] = False
    assert mean_ap([person]) == 75
    # With the score of the estimate they stand above a false person.
    person['pred_instances']['keypoint_scores'][2:] = 0
    nobody = make_track([FAR], truth=False, score=0.3)
    assert mean_ap([person, nobody]) == 75
    del person['pred_instances']['refined_mask']
    assert mean_ap([person]) == 50


def test_without_a_gap_of_refinement_no_estimate_is_needed():
    person = make_track([0, 1])
    del person['est_instances']
    assert mean_ap([person]) == 100


def test_persons_meet_by_video_and_frame_number():
    """A prediction helps nobody in another video or another frame."""
    missed, other = never_found([0]), make_track([0], truth=False)
    assert mean_ap([missed, other]) == 100
    other['seq_name'] = 'w'
    assert mean_ap([missed, other]) == 0
    missed, other = never_found([0, 0]), make_track([0, 0], truth=False)
    assert mean_ap([missed, other]) == 100
    other['seq_name'] = 'w'
    assert mean_ap([missed, other]) == 0
    other['seq_name'] = 'v'
    other['gt_instances']['frame_number'] += 1
    assert mean_ap([missed, other]) == 50


@pytest.mark.parametrize('assignment', ['poseval', 'score'])
def test_two_people_crossing_and_swapped_identities(assignment):
    """AP asks for poses, not for who is who over time."""
    x = np.linspace(-30, 30, 13)
    # They pass each other a little more than half a head apart.
    tracks = [make_track(x), make_track(-x, y=10.1)]
    assert mean_ap(tracks, assignment=assignment) == 100
    swapped = [track['pred_instances']['keypoints'] for track in tracks]
    for track, pred in zip(tracks, swapped[::-1]):
        track['pred_instances']['keypoints'] = pred
    assert mean_ap(tracks, assignment=assignment) == 100


def test_two_people_in_one_place():
    """In 3 of 13 frames each prediction hits both people completely.

    By the toolkit's rule both then ask for the same one: one prediction is
    false and one person missed, though nothing is wrong with the poses.
    """
    x = np.linspace(-30, 30, 13)
    tracks = [make_track(x), make_track(-x)]
    assert mean_ap(tracks) == pytest.approx(100 * (23 / 26) ** 2)
    assert mean_ap(tracks, assignment='score') == 100


# In the order of the files


def tied_tracks(orders):
    """Two predictions of one person, equally good; one has a false joint
    that the other has not.
    """
    off = np.zeros((1, 15))
    off[:, 0], other = 500, np.zeros((1, 15))
    other[:, 1] = 500
    tracks = [
        make_track([0.0], off=off, score=0.5),
        make_track([0.0], off=other, score=0.4, truth=False),
    ]
    for track, order in zip(tracks, orders):
        track['gt_instances']['order'] = np.array([0])
        track['est_instances']['order'] = np.array([order])
    tracks[1]['gt_instances']['order'][:] = -1
    return tracks


@pytest.mark.parametrize('source', ['input', 'pred'])
def test_of_equal_persons_the_first_of_the_file_wins(source):
    """The assigned one misses joint 0 or joint 1; what it hits of the other
    joints has AP 1 if its score is the higher one, else 1/2.
    """
    for orders, missed, area in (((0, 1), 0, 1.0), ((1, 0), 1, 0.5)):
        tracks = tied_tracks(orders)
        for samples in (tracks, tracks[::-1]):
            result = evaluate(samples, keep_order=True, source=source)
            joints = np.full(15, area)
            joints[missed] = 0
            # Joint 1, hit by the prediction of lower score, or missed.
            joints[1 - missed] = area
            expected = 100 * joints.mean()
            assert result[f'{PREFIX[source]}/AP'] == pytest.approx(expected)


def test_a_column_without_a_figure_in_the_order_of_the_files():
    """A joint that is predicted and never annotated has none."""
    (track,) = tied_tracks((0, 1))[:1]
    track['gt_instances']['keypoints_visible'][:, 5] = 0
    result = evaluate([track], keep_order=True)
    assert np.isnan(result['refined/AP/Elbow'])
    assert result['refined/AP/Wrist'] == 100


def test_the_order_of_the_files_has_to_be_known():
    with pytest.raises(ValueError, match=r'no gt_instances\.order'):
        evaluate([make_track([0.0])], keep_order=True)


# What does not count


def chosen_frames(fields, chosen):
    """Some frames of the instances of a track; other things as they are."""
    if not isinstance(fields, dict):
        return fields
    return {key: value[chosen] for key, value in fields.items()}


def test_frames_without_labels_change_nothing():
    rng = np.random.default_rng(0)
    tracks, longer = [], []
    for n in range(3):
        off = rng.normal(0, 8, (9, 15))
        track = make_track(300.0 * n + np.arange(9), off=off, score=1 - n / 5)
        labelled = np.arange(9) % 4 == 0
        track['gt_instances']['annotated'] = labelled * 1.0
        # Unlabelled frames may hold anything.
        track['gt_instances']['head_size'][1] = np.nan
        track['gt_instances']['keypoints'][2] = np.nan
        track['pred_instances']['keypoint_scores'][3] = np.nan
        longer.append(track)
        fields = track.items()
        tracks.append({k: chosen_frames(x, labelled) for k, x in fields})
    expected = evaluate(tracks)
    assert 0 < expected['refined/AP'] < 100
    assert evaluate(longer) == expected


def random_tracks(rng):
    """Tracks in two videos, some annotated, some found, close together."""
    tracks = []
    for _ in range(12):
        length = rng.integers(1, 6)
        track = make_track(
            rng.uniform(0, 60, length),
            video=str(rng.integers(2)),
            first=rng.integers(4),
            off=rng.normal(0, 9, (length, 15)),
            truth=rng.random(length) < 0.8,
            score=rng.random((length, 15)),
            found=rng.random(length) < 0.8,
        )
        track['gt_instances']['annotated'] = (
            track['gt_instances']['frame_number'] % 3 > 0
        ) * 1.0
        heads = track['gt_instances']['head_size']
        heads *= rng.uniform(0.5, 2, length)
        tracks.append(track)
    return tracks


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('assignment', ['poseval', 'score'])
def test_order_and_batches_of_the_tracks_do_not_matter(seed, assignment):
    rng = np.random.default_rng(seed)
    tracks = random_tracks(rng)
    expected = evaluate(tracks, assignment=assignment)
    assert 0 < expected['refined/AP'] < 100
    metric = PoseTrackAP(assignment=assignment)
    metric.dataset_meta = META
    order = rng.permutation(len(tracks))
    for batch in np.split(order, [1, 4, 9]):
        metric.process(None, [tracks[n] for n in batch])
    assert metric.evaluate(len(tracks)) == expected


@pytest.mark.parametrize('seed', range(5))
def test_tracks_are_put_together_frame_by_frame(seed):
    """Against a plain walk over all tracks and their frames."""
    tracks = random_tracks(np.random.default_rng(seed))
    people = [[] for _ in range(6)]
    for track in tracks:
        gt, est = track['gt_instances'], track['est_instances']
        for t in np.flatnonzero(gt['annotated']):
            frame = 100 * int(track['seq_name']) + gt['frame_number'][t]
            if est['keypoints_valid'][t].all():
                people[0].append(est['keypoints'][t])
                people[1].append(est['keypoint_scores'][t])
                people[2].append(frame)
            if np.isfinite(gt['head_size'][t]):
                people[3].append(gt['keypoints'][t])
                people[4].append(frame)
                people[5].append(gt['head_size'][t])
    found = mean_ap(tracks, source='input')
    expected = 100 * posetrack_ap(*map(np.array, people)).mean()
    assert found == pytest.approx(expected, rel=1e-12)


def test_data_samples_of_tensors():
    """As the evaluator hands them over, from a PoseDataSample."""
    tracks = random_tracks(np.random.default_rng(7))
    samples = []
    for track in tracks:
        sample = PoseDataSample(metainfo=dict(seq_name=track['seq_name']))
        for part in ('gt_instances', 'est_instances', 'pred_instances'):
            fields = {k: torch.as_tensor(v) for k, v in track[part].items()}
            setattr(sample, part, InstanceData(**fields))
        samples.append(sample.to_dict())
    assert evaluate(samples) == evaluate(tracks)


def test_a_table_goes_to_the_log(caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        off = np.zeros((1, 15))
        off[:, 8] = FAR
        evaluate([make_track([0], off=off)])
    finally:
        logger.removeHandler(caplog.handler)
    rows = [line.split() for line in caplog.text.splitlines()]
    head = rows.index([*COLUMNS, 'Mean'])
    expected = ['100.0'] * 3 + ['50.0'] + ['100.0'] * 3 + ['93.3']
    assert rows[head + 1] == expected
    assert ['right_wrist', '0.0'] in rows
    assert ['left_wrist', '100.0'] in rows
