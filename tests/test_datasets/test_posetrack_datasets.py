# Copyright (c) hanet_mm contributors. All rights reserved.
"""Data sets of sparsely annotated videos of several people."""

import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, METRICS
from posetrack import convert_posetrack
from posetrack_scenes import (
    NAMES,
    Script,
    annotation_18,
    results,
    stand,
    walk,
    write,
)

import hanet_mm  # noqa: F401

pytestmark = pytest.mark.mm

VIDEO = '000342_mpii_test'
REGION = [[0.0, 0.0], [9.0, 0.0], [9.0, 9.0]]
PIPELINE = [
    dict(type='GenerateTarget', encoder=dict(type='PoseSequenceCodec')),
    dict(type='PackPoseSequenceInputs'),
]
T = 5


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmpose')


@pytest.fixture
def ann_file(tmp_path):
    """Three persons: of 12 frames, of one frame, and never found."""
    people = {
        0: walk(range(12), 100, 2),
        1: {4: (300, 200)},
        2: {9: (500, 200)},
    }
    script = Script(
        VIDEO, 12, (4, 9), people, regions={4: [REGION], 5: [REGION]}
    )
    script.follow(people[0], (1, 0))
    script.follow(people[1], (1, 0))
    annotation = write(tmp_path / 'a.json', annotation_18(script))
    found = write(tmp_path / 'b.json', results(script))
    out = tmp_path / 'posetrack18_dcpose_val.npz'
    convert_posetrack(annotation, found, out, 'posetrack18')
    return str(out)


def build(ann_file, year=18, **kwargs):
    name = f'PoseTrack{year}SequenceDataset'
    return DATASETS.build(dict(type=name, ann_file=ann_file, **kwargs))


def write_videos(tmp_path, count):
    """So many videos of two persons each, in one file as MMPose joins them."""
    scripts = []
    for number in range(count):
        people = {
            who: walk(range(12), 100 + 200 * who, 2 + number)
            for who in range(2)
        }
        script = Script(f'{number:06d}_mpii_test', 12, (4, 9), people)
        for places in people.values():
            script.follow(places, (1, 0))
        scripts.append(script)
    annotation = write(tmp_path / 'all.json', annotation_18(*scripts))
    found = write(tmp_path / 'found.json', results(*scripts))
    out = tmp_path / 'few.npz'
    convert_posetrack(annotation, found, out, 'posetrack18')
    return str(out)


@pytest.mark.parametrize('count', [2, 3, 9])
def test_few_videos_train_and_select(tmp_path, count):
    """The last video selects the checkpoint, all others train."""
    ann_file = write_videos(tmp_path, count)
    train = build(
        ann_file, part='train', window_size=T, sparse=True, pipeline=PIPELINE
    )
    val = build(ann_file, part='val', test_mode=True, pipeline=PIPELINE)
    last = f'{count - 1:06d}_mpii_test'
    names = {train.get_data_info(i)['seq_name'] for i in range(len(train))}
    assert names == {f'{i:06d}_mpii_test' for i in range(count - 1)}
    assert [val.get_data_info(i)['seq_name'] for i in range(2)] == [last] * 2
    assert len(val) == 2


def test_one_video_cannot_do_both(tmp_path):
    ann_file = write_videos(tmp_path, 1)
    with pytest.raises(ValueError, match=r"part 'val' .* none of the 1 seq"):
        build(ann_file, part='val')


def test_metainfo():
    meta = DATASETS.get('PoseTrack18SequenceDataset')(lazy_init=True).metainfo
    assert meta['num_keypoints'] == 15
    names = meta['keypoint_id2name']
    assert tuple(names[i] for i in range(15)) == NAMES
    for index, other in enumerate(meta['flip_indices']):
        swapped = {'left': 'right', 'right': 'left'}
        side, _, rest = names[index].partition('_')
        expected = (
            f'{swapped[side]}_{rest}' if side in swapped else names[index]
        )
        assert names[other] == expected
    # weights and sigmas by name are those that MMPose has for its 17
    ours, theirs = (
        {
            info['keypoint_id2name'][i]: (
                info['sigmas'][i],
                info['dataset_keypoint_weights'][i],
            )
            for i in range(info['num_keypoints'])
        }
        for info in (
            meta,
            DATASETS.get('PoseTrack18Dataset')(lazy_init=True).metainfo,
        )
    )
    assert ours == {name: theirs[name] for name in NAMES}
    assert {i for link in meta['skeleton_links'] for i in link} == {*range(15)}


def test_windows_with_an_annotated_frame_are_the_training_set(ann_file):
    dataset = build(ann_file, window_size=T, sparse=True)
    starts = [
        int(item['frame_ids'][0]) for item in dataset if item['seq_id'] == 0
    ]
    # of 8 windows those that hold frame 4 or frame 9
    assert starts == [0, 1, 2, 3, 4, 5, 6, 7]
    labelled = [
        np.flatnonzero(item['keypoints_visible'].any(1)).tolist()
        for item in dataset
        if item['seq_id'] == 0
    ]
    assert labelled == [[4], [3], [2], [1], [0], [4], [3], [2]]
    # the person of one frame is a window, the one never found is not
    assert {item['seq_id'] for item in dataset} == {0, 1}
    short = next(item for item in dataset if item['seq_id'] == 1)
    assert short['keypoints_visible'].any(1).tolist() == [True] + [False] * 4


def test_windows_without_annotation_are_left_out(ann_file):
    dense = build(ann_file, window_size=2)
    sparse = build(ann_file, window_size=2, sparse=True)

    def starts(dataset):
        return [
            int(item['frame_ids'][0])
            for item in dataset
            if item['seq_id'] == 0
        ]

    assert starts(dense) == list(range(11))
    assert starts(sparse) == [3, 4, 8, 9]


def test_weight_lies_on_the_annotated_frame_alone(ann_file):
    dataset = build(ann_file, window_size=T, sparse=True, pipeline=PIPELINE)
    packed = dataset[2]  # frames 2 to 6, of which 4 is annotated
    labels = packed['data_samples'].gt_instance_labels
    assert labels.keypoint_weights.shape == (T, 15)
    assert (labels.keypoint_weights[2] == 1).all()
    assert (np.delete(labels.keypoint_weights, 2, axis=0) == 0).all()
    # frames without annotation enter as input, where they were found
    raw = build(ann_file, window_size=T, sparse=True)[2]
    expected = np.stack([stand(101 + 2 * frame, 200) for frame in range(2, 7)])
    np.testing.assert_array_equal(raw['keypoints'], expected)
    assert raw['keypoints_valid'].all()
    inputs = packed['inputs']
    steps = np.diff(inputs, axis=0)[..., 0]
    assert np.ptp(steps) < 1e-5  # 2 px a frame, in each frame
    assert (steps > 0).all()
    assert np.isfinite(labels.keypoint_labels[2]).all()


def test_tests_see_everybody_once(ann_file):
    dataset = build(
        ann_file,
        test_mode=True,
        pipeline=[dict(type='PackPoseSequenceInputs')],
    )
    samples = [item['data_samples'] for item in dataset]
    assert [len(s.gt_instances.keypoints) for s in samples] == [12, 1, 1]
    never = samples[2]
    assert never.seq_name == VIDEO
    assert not never.est_instances.keypoints_valid.any()
    assert (never.est_instances.keypoint_scores == 0).all()
    assert never.gt_instances.keypoints_visible.all()
    truth = samples[0].gt_instances
    assert truth.frame_number.tolist() == list(range(12))
    assert np.flatnonzero(truth.annotated).tolist() == [4, 9]
    assert np.flatnonzero(~np.isnan(truth.head_size)).tolist() == [4, 9]
    assert truth.track_id.tolist() == [0] * 12


def test_a_person_never_found_counts_in_ap(ann_file):
    """Of 4 annotated poses 3 are found, and nobody else: AP is 75."""
    dataset = build(
        ann_file,
        test_mode=True,
        pipeline=[dict(type='PackPoseSequenceInputs')],
    )
    metric = METRICS.build(dict(type='PoseTrackAP', source='input'))
    metric.dataset_meta = dataset.metainfo
    samples = [item['data_samples'].to_dict() for item in dataset]
    metric.process({}, samples)
    assert metric.evaluate(len(samples))['input/AP'] == pytest.approx(75)


def test_ignore_regions_are_for_tests_alone(ann_file):
    regions = {VIDEO: {'4': [REGION], '5': [REGION]}}
    tested = build(ann_file, test_mode=True)
    assert tested.metainfo['ignore_regions'] == regions
    assert 'ignore_regions' not in build(ann_file).metainfo
    # one data set's regions are not another's
    assert 'ignore_regions' not in type(tested)(lazy_init=True).metainfo


def test_files_of_the_other_release_are_refused(ann_file):
    with pytest.raises(ValueError, match=r"dcpose_val\.npz.*'posetrack17'"):
        build(ann_file, year=17)
