# Copyright (c) hanet_mm contributors. All rights reserved.
"""PoseTrackAP: ignore regions, fields that do not fit, two processes."""

import os
import pickle

import numpy as np
import pytest
import torch.multiprocessing as mp
from mmengine.dataset import DefaultSampler
from mmengine.logging import MMLogger
from mmpose.registry import METRICS
from torch.utils.data import DataLoader, Dataset

from hanet_mm.engine.running import init_gloo_group
from hanet_mm.evaluation.posetrack_ap import PoseTrackAP

pytestmark = pytest.mark.mm

NUM_TRACKS = 7


def make_track(index=0, video='v', places=(0.0, 0.0, 0.0)):
    """A person of two joints, 100 px apart, seen in frames 10, 11, ..."""
    places = np.asarray(places, np.float32)
    joints = np.zeros((len(places), 2, 2), np.float32)
    joints[..., 0] = places[:, None] + [0, 100]
    rng = np.random.default_rng(index)
    shape = joints.shape[:2]
    return dict(
        seq_name=video,
        gt_instances=dict(
            keypoints=joints,
            keypoints_visible=np.ones(shape),
            frame_number=10 + np.arange(len(joints)),
            annotated=np.ones(len(joints)),
            head_size=np.full(len(joints), 10.0),
        ),
        est_instances=dict(
            keypoints=joints + rng.normal(0, index, (len(joints), 2, 2)),
            keypoint_scores=rng.random(shape),
            keypoints_valid=rng.random(shape) < 0.9,
        ),
        pred_instances=dict(
            keypoints=joints + rng.normal(0, index, (len(joints), 2, 2)),
            keypoint_scores=rng.random(shape),
            refined_mask=np.arange(len(joints)) < 5,
        ),
    )


def evaluate(samples, regions=None, **kwargs):
    metric = PoseTrackAP(prefix='p', **kwargs)
    names = dict(head_top=0, left_hip=1)
    metric.dataset_meta = dict(keypoint_name2id=names)
    if regions is not None:
        metric.dataset_meta['ignore_regions'] = regions
    metric.process(None, samples)
    return metric.evaluate(len(samples))


# Ignore regions


def square(x, size=20):
    """A square with its middle at (x, 0)."""
    low, high = x - size, x + size
    return [[low, -size], [high, -size], [high, size], [low, size]]


def missed_and_false():
    """A person found; another's joints are missed and predicted far away."""
    track = make_track(places=[0, 1000, 0])
    track['pred_instances']['keypoints'][1, :, 0] = [2000, 2100]
    track['pred_instances']['keypoint_scores'][:] = [[0.5], [0.9], [0.5]]
    return track


def test_predictions_inside_are_not_false():
    # First the false one, then two true ones of three.
    assert evaluate([missed_and_false()])['p/AP'] == pytest.approx(
        100 * 2 / 3 * 2 / 3
    )
    around = {'v': {'11': [square(2050, 90)]}}
    assert evaluate([missed_and_false()], around)['p/AP'] == pytest.approx(
        100 * 2 / 3
    )


def test_annotations_inside_are_not_missed():
    around = {'v': {'11': [square(3000), square(1050, 90)]}}
    assert evaluate([missed_and_false()], around)['p/AP'] == pytest.approx(
        100 * 2 / 3
    )


def test_regions_go_by_joint():
    around = {'v': {'11': [square(1000), square(2000)]}}
    result = evaluate([missed_and_false()], around)
    assert result['p/AP/Head'] == pytest.approx(100)
    assert result['p/AP/Hip'] == pytest.approx(100 * 2 / 3 * 2 / 3)


@pytest.mark.parametrize(
    'regions',
    [
        None,
        {},
        {'v': {}},
        {'v': {'11': []}},
        {'w': {'11': [square(2050, 90)]}},
        {'v': {'10': [square(2050, 90)], '111': [square(2050, 90)]}},
    ],
)
def test_regions_belong_to_one_frame_of_one_video(regions):
    assert evaluate([missed_and_false()], regions)['p/AP'] == pytest.approx(
        100 * 2 / 3 * 2 / 3
    )


def test_the_samples_stay_as_they_were():
    track = missed_and_false()
    metric = PoseTrackAP(prefix='p')
    metric.dataset_meta = dict(
        ignore_regions={'v': {'11': [square(2050, 90)]}}
    )
    metric.process(None, [track])
    metric.compute_metrics(metric.results)
    assert np.isfinite(metric.results[0].pred).all()
    assert np.isfinite(track['pred_instances']['keypoints']).all()


def test_a_region_that_is_none_is_named():
    text = 'PoseTrackAP: ignore regions of video v, frame 11: polygon 1 must'
    with pytest.raises(ValueError, match=text):
        evaluate([make_track()], {'v': {'11': [square(0), [1, 2, 3]]}})


# Nothing to count


@pytest.mark.parametrize('why', ['visible', 'labelled', 'ignored', 'samples'])
def test_nothing_annotated_is_nan_with_a_warning(why, caplog):
    track, regions = make_track(), {}
    if why == 'visible':
        track['gt_instances']['keypoints_visible'][:] = 0
    if why == 'labelled':
        track['gt_instances']['annotated'][:] = 0
    if why == 'ignored':
        regions = {'v': {str(n): [square(50, 90)] for n in (10, 11, 12)}}
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        result = evaluate([] if why == 'samples' else [track], regions)
    finally:
        logger.removeHandler(caplog.handler)
    assert list(result) == ['p/AP']
    assert np.isnan(result['p/AP'])
    assert 'PoseTrackAP(pred): nothing to count' in caplog.text


# Fields

TRUTH = ('keypoints_visible', 'frame_number', 'annotated', 'head_size')


@pytest.mark.parametrize(
    ('source', 'part', 'key'),
    [
        *(('pred', 'gt_instances', key) for key in ('keypoints', *TRUTH)),
        ('pred', 'pred_instances', 'keypoints'),
        ('pred', 'pred_instances', 'keypoint_scores'),
        ('input', 'est_instances', 'keypoints'),
        ('input', 'est_instances', 'keypoint_scores'),
        ('input', 'est_instances', 'keypoints_valid'),
    ],
)
def test_a_missing_or_misshaped_field_is_named(source, part, key):
    name = rf'^PoseTrackAP\({source}\), sequence dance: '
    metric = PoseTrackAP(source=source)
    track = make_track(video='dance')
    value = track[part].pop(key)
    with pytest.raises(ValueError, match=rf'{name}.* no {part}\.{key}$'):
        metric.process(None, [track])
    track[part][key] = np.concatenate([value, value], axis=-1)
    with pytest.raises(ValueError, match=rf'{name}{part}\.{key} must have'):
        metric.process(None, [track])
    del track[part]
    with pytest.raises(ValueError, match=rf'{name}.* no {part}\.'):
        metric.process(None, [track])
    assert metric.results == []


def test_a_refined_mask_of_another_length_is_named():
    track = make_track()
    track['pred_instances']['refined_mask'] = np.ones(4)
    text = r'refined_mask must have shape \(3,\), got \(4,\)'
    with pytest.raises(ValueError, match=text):
        PoseTrackAP().process(None, [track])


def test_a_sample_without_a_video_is_refused():
    track = make_track()
    del track['seq_name']
    with pytest.raises(ValueError, match='the data sample has no seq_name'):
        PoseTrackAP().process(None, [track])


@pytest.mark.parametrize(
    ('part', 'key', 'value', 'text'),
    [
        ('gt', 'frame_number', 10, 'occurs twice in .*frame_number'),
        ('gt', 'keypoints', np.nan, 'keypoints that are not finite'),
        ('gt', 'head_size', np.nan, 'without a gt_instances.head_size'),
        ('gt', 'head_size', -1, 'without a gt_instances.head_size'),
        ('pred', 'keypoint_scores', np.nan, 'without a finite score'),
    ],
)
def test_a_frame_that_cannot_be_counted_is_named(part, key, value, text):
    track = make_track()
    track[f'{part}_instances'][key][1] = value
    frame = 10 if key == 'frame_number' else 11
    with pytest.raises(
        ValueError, match=rf'sequence v: frame {frame} .*{text}'
    ):
        PoseTrackAP().process(None, [track])


def test_a_head_without_size_misses_the_person():
    track = make_track()
    track['gt_instances']['head_size'][1] = 0
    track['pred_instances']['keypoint_scores'][1] = 0
    assert evaluate([track])['p/AP'] == pytest.approx(100 * 2 / 3)


def test_the_joints_must_be_those_of_the_data_set():
    metric = PoseTrackAP()
    metric.dataset_meta = dict(keypoint_name2id=dict(nose=0, left_hip=1, b=2))
    metric.process(None, [make_track()])
    with pytest.raises(ValueError, match='3 keypoints, the poses have 2'):
        metric.evaluate(1)


@pytest.mark.parametrize(
    ('kwargs', 'text'),
    [
        (dict(thr=0), 'PoseTrackAP: thr must be above 0, got 0'),
        (dict(assignment='iou'), "assignment .*'score'], got 'iou'"),
        (dict(source='gt'), "'input', 'pred'.* got 'gt'"),
    ],
)
def test_arguments_out_of_range_are_refused(kwargs, text):
    with pytest.raises(ValueError, match=text):
        PoseTrackAP(**kwargs)


def test_it_is_registered_and_starts_anew_each_time():
    metric = METRICS.build(dict(type='PoseTrackAP', source='input'))
    for found, expected in ((1, 100.0), (0, 0.0)):
        track = make_track()
        track['est_instances']['keypoints_valid'][:] = found
        metric.process(None, [track])
        assert metric.evaluate(1) == {'input/AP': expected}


# Two processes


class Tracks(Dataset):
    """Tracks of different quality in two videos, equal in every process."""

    def __len__(self):
        return NUM_TRACKS

    def __getitem__(self, index):
        places = 3.0 * index + np.arange(index + 2)
        return make_track(index, 'ab'[index % 2], places)


def evaluate_share():
    """The tracks this process gets, as MMEngine evaluates them."""
    dataset = Tracks()
    loader = DataLoader(
        dataset,
        batch_size=2,
        sampler=DefaultSampler(dataset, shuffle=False, round_up=True),
        collate_fn=list,
    )
    results = {}
    for source in ('pred', 'input'):
        for assignment in ('poseval', 'score'):
            metric = PoseTrackAP(
                source=source, prefix=source, assignment=assignment
            )
            metric.dataset_meta = dict(
                ignore_regions={'a': {'11': [square(0, 4)]}}
            )
            for batch in loader:
                metric.process(None, batch)
            results[source, assignment] = metric.evaluate(len(dataset))
    return results


def worker(rank, folder):
    os.chdir(folder)
    init_gloo_group(
        init_method=f'file://{folder}/rendezvous', rank=rank, world_size=2
    )
    result = evaluate_share()
    with open(f'rank{rank}.pkl', 'wb') as file:
        pickle.dump(result, file)


def test_two_processes_equal_one_exactly(tmp_path, monkeypatch):
    """Seven tracks over two processes: the sampler repeats one."""
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    expected = evaluate_share()
    values = [value for part in expected.values() for value in part.values()]
    assert len(set(values)) > 1
    assert all(0 < value < 100 for value in values)

    mp.spawn(worker, args=(str(tmp_path),), nprocs=2)

    for rank in range(2):
        with open(tmp_path / f'rank{rank}.pkl', 'rb') as file:
            assert pickle.load(file) == expected
