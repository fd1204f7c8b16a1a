# Copyright (c) hanet_mm contributors. All rights reserved.
"""The tables: what is found, scored, reported and left out."""

import json

import numpy as np
import pytest
from mmengine.registry import DefaultScope
from paper_data import FOLDERS, data_path, make_sequences, write
from scipy.ndimage import gaussian_filter1d

from hanet_mm.apis.benchmark import paper as data_set_module
from hanet_mm.apis.benchmark.catalog import CATALOG, DataSource, build_dataset
from hanet_mm.apis.benchmark.methods import Method
from hanet_mm.apis.benchmark.paper import (
    PaperRequest,
    has_failures,
    new_paper_report,
    reproduce,
)
from hanet_mm.apis.benchmark.paper_tables import render_paper_tables
from hanet_mm.apis.benchmark.protocols import (
    PaperProtocol,
    Windows,
    metric_configs,
    predict,
)
from hanet_mm.filters import KalmanFilter

pytestmark = pytest.mark.mm


def run(root, *names, **options):
    """The finished report; of a catalogue with these data sets only."""
    if names:
        options['catalog'] = {name: CATALOG[name] for name in names}
    return [*reproduce(PaperRequest(root, **options))][-1]


def find(report, name):
    return next(x for x in report['data_sets'] if x['name'] == name)


def figures(report, name, method='input'):
    """Metrics of a method by protocol."""
    return {
        row['protocol']: row['metrics']
        for row in find(report, name)['rows']
        if row['method'].startswith(method)
    }


def test_known_files_are_those_of_the_catalogue(tmp_path):
    report = run(tmp_path)
    assert report['complete']
    assert [x['name'] for x in report['missing']] == [*CATALOG]
    for entry in report['missing']:
        file = str(
            data_path(tmp_path, entry['name'])
            if entry['name'] in FOLDERS
            else tmp_path / 'cmu_mocap/cmu_mocap_train.npz'
        )
        assert entry['reason'] == f'{file} is not there'
    assert render_paper_tables(report) == ''
    # Nobody asked for them.
    assert not has_failures(report)
    assert has_failures(run(tmp_path, data_sets=['pw3d']))


@pytest.mark.parametrize(
    ('name', 'perfect', 'errors'),
    [
        ('jhmdb', ['PCK@0.2', 'PCK@0.05/Ank'], ['MPJPE', 'Accel']),
        ('h36m-fcn', [], ['MPJPE', 'PA-MPJPE', 'Accel']),
        ('h36m-mhformer', [], ['MPJPE', 'PA-MPJPE', 'Accel']),
        ('pw3d', [], ['MPJPE', 'PA-MPJPE', 'Accel']),
        ('aist', [], ['MPJPE', 'PA-MPJPE', 'Accel']),
        ('pw3d-smpl', [], ['MPJAE', 'MPJPE', 'PA-MPJPE', 'Accel']),
        ('aist-smpl', [], ['MPJAE', 'MPJPE', 'PA-MPJPE', 'Accel']),
        ('posetrack17', ['AP', 'AP/Head', 'AP/Ankle'], []),
        ('posetrack18', ['AP', 'AP/Head', 'AP/Ankle'], []),
    ],
)
def test_perfect_input(tmp_path, name, perfect, errors):
    write(tmp_path, name, make_sequences(name, [12, 7]))
    report = run(tmp_path, name)
    found = find(report, name)
    assert not has_failures(report)
    assert (found['sequences'], found['frames']) == (2, 19)
    assert [x['protocol'] for x in found['rows']] == ['published', 'ours']
    for metrics in figures(report, name).values():
        for key in perfect:
            assert metrics[key] == 100
        for key in errors:
            # Degrees or mm: float32 loses the last digits.
            assert metrics[key] == pytest.approx(0, abs=2e-2)
    (left_out,) = found['left_out']
    train = data_path(tmp_path, name, 'train')
    assert left_out['reason'].endswith(f'{train} is not there')


def test_millimetres_are_of_metres(tmp_path):
    sequences = make_sequences('pw3d', [12])
    # Not the hips, which are the root.
    sequences.keypoints_est[:, [0, 13], 2] += 0.07
    write(tmp_path, 'pw3d', sequences)
    metrics = figures(run(tmp_path, 'pw3d'), 'pw3d')['ours']
    assert metrics['MPJPE'] == pytest.approx(70 * 2 / 14, rel=1e-4)
    assert metrics['Accel'] == pytest.approx(0, abs=1e-2)


def test_published_protocol_leaves_the_tail_out(tmp_path):
    # T = 11 at stride 5: windows at 0, 5, 10, 15 end with frame 25 of 28.
    sequences = make_sequences('jhmdb', [28])
    sequences.keypoints_est[26:] += 50
    write(tmp_path, 'jhmdb', sequences)
    report = run(tmp_path, 'jhmdb')
    published, ours = (
        figures(report, 'jhmdb')[x] for x in ('published', 'ours')
    )
    assert published['PCK@0.05'] == 100
    assert published['MPJPE'] == 0
    assert ours['PCK@0.05'] == pytest.approx(100 * 26 / 28)
    assert ours['MPJPE'] == pytest.approx(50 * 2**0.5 * 2 / 28, rel=1e-5)
    rows = find(report, 'jhmdb')['rows']
    assert [row['frames_refined'] for row in rows] == [26, 28]


def test_stride_of_aist_rotations_is_ten_intervals(tmp_path):
    # T = 101: at a stride of 10 frames 120 to 129 would be the tail of 130,
    # at the published 100 all after frame 100 are.
    write(tmp_path, 'aist-smpl', make_sequences('aist-smpl', [130]))
    write(tmp_path, 'pw3d-smpl', make_sequences('pw3d-smpl', [130]))
    report = run(tmp_path, 'aist-smpl', 'pw3d-smpl')
    for name, stride, frames in (('aist', 100, 101), ('pw3d', 10, 121)):
        row = find(report, f'{name}-smpl')['rows'][0]
        assert row['protocol'] == 'published'
        assert (row['stride'], row['frames_refined']) == (stride, frames)


def test_mean_over_sequences_and_over_frames(tmp_path):
    # Of three sequences the long one is missed by more than any threshold.
    sequences = make_sequences('jhmdb', [5, 21, 6])
    sequences.keypoints_est[5:26] += 50
    write(tmp_path, 'jhmdb', sequences)
    found = figures(run(tmp_path, 'jhmdb'), 'jhmdb')
    for key in ('PCK@0.2', 'PCK@0.1', 'PCK@0.2/Wri'):
        assert found['published'][key] == pytest.approx(100 * 2 / 3)
        assert found['ours'][key] == pytest.approx(100 * 11 / 32)
    # Errors are means over frames in both.
    error = 50 * 2**0.5 * 21 / 32
    for metrics in found.values():
        assert metrics['MPJPE'] == pytest.approx(error, rel=1e-5)


def test_people_who_were_never_found(tmp_path):
    sequences = make_sequences('posetrack17', [6, 6])
    sequences.keypoints_est[6:] = np.nan
    sequences.scores[6:] = 0
    for split in ('test', 'train'):
        write(tmp_path, 'posetrack17', sequences, split)
    report = run(tmp_path, 'posetrack17')
    assert not has_failures(report)
    # Half of the joints are found, all of those are right: AP 50.
    for metrics in figures(report, 'posetrack17').values():
        assert metrics['AP'] == pytest.approx(50)
    # So they are for filters, which cannot move a joint off its person.
    for metrics in figures(report, 'posetrack17', 'Gaussian').values():
        assert metrics['AP'] == pytest.approx(50)


def test_joints_that_the_estimator_missed_are_no_input(tmp_path):
    # Filled they would be right; noses of half of the frames are missing.
    sequences = make_sequences('posetrack18', [6])
    sequences.scores[1:4, 0] = 0
    write(tmp_path, 'posetrack18', sequences)
    report = run(tmp_path, 'posetrack18')
    for metrics in figures(report, 'posetrack18').values():
        assert metrics['AP/Head'] == pytest.approx((50 + 100 + 100) / 3)


def noisy(name, lengths, size, seed):
    sequences = make_sequences(name, lengths, seed)
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, size, sequences.keypoints_est.shape)
    sequences.keypoints_est += noise.astype(np.float32)
    return sequences


def test_filters_are_tuned_on_the_training_part(tmp_path):
    train = noisy('jhmdb', [20] * 20, 4, seed=1)
    test = noisy('jhmdb', [40, 23], 4, seed=2)
    write(tmp_path, 'jhmdb', train, 'train')
    write(tmp_path, 'jhmdb', test)
    report = run(tmp_path, 'jhmdb')
    rows = find(report, 'jhmdb')['rows']
    names = ['input', 'Savitzky-Golay', 'Butterworth', 'Gaussian', 'One-Euro']
    names.append('Kalman/RTS with scores')
    assert [row['method'].split(' (')[0] for row in rows] == names * 2
    for row in rows[1:6]:
        # A tenth is held out for the selection of checkpoints.
        tuned_on = row['tuned_on']
        assert tuned_on['file'].endswith('jhmdb_simplebaseline_train.npz')
        assert (tuned_on['part'], tuned_on['sequences']) == ('train', 18)
        assert row['metrics']['Accel'] < rows[0]['metrics']['Accel'] / 2

    sigma = rows[3]['arguments']['sigma']
    assert f'Gaussian (sigma {sigma:.4g})' == rows[3]['method']
    distance = [
        np.linalg.norm(
            gaussian_filter1d(test.keypoints_est[part].astype(float), sigma, 0)
            - test.keypoints_gt[part],
            axis=-1,
        )
        for part in (slice(0, 40), slice(40, 63))
    ]
    ours = figures(report, 'jhmdb', 'Gaussian')['ours']
    expected = np.concatenate(distance).mean()
    assert ours['MPJPE'] == pytest.approx(expected, rel=1e-5)


def test_filters_get_the_scores(tmp_path):
    sequences = noisy('jhmdb', [30, 12], 4, seed=1)
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.1, 1, sequences.scores.shape)
    scores[5:8, 3] = 0
    sequences.scores[:] = scores
    write(tmp_path, 'jhmdb', sequences)
    with DefaultScope.overwrite_default_scope('mmpose'):
        source = DataSource('jhmdb', CATALOG['jhmdb'], tmp_path)
        dataset = build_dataset(source.test_cfg)
    kalman = KalmanFilter(0.2)
    ours = PaperProtocol('ours', Windows(5, 11, 1))
    samples = predict(dataset, Method('filter', kalman), ours, range(2))
    for part, sample in zip((slice(0, 30), slice(30, 42)), samples):
        expected = kalman.refine(sequences.keypoints_est[part], scores[part])
        np.testing.assert_allclose(
            sample.pred_instances.keypoints, expected.keypoints, atol=1e-3
        )


def test_a_broken_file_does_not_stop_the_others(tmp_path):
    for name in ('jhmdb', 'aist'):
        write(tmp_path, name, make_sequences(name, [12]))
    for name, content in (('pw3d', b'nonsense'), ('h36m-fcn', b'')):
        path = data_path(tmp_path, name)
        path.parent.mkdir()
        path.write_bytes(content)
    report = run(tmp_path, 'jhmdb', 'h36m-fcn', 'pw3d', 'aist')
    assert has_failures(report)
    assert report['complete']
    for name in ('pw3d', 'h36m-fcn'):
        found = find(report, name)
        assert str(data_path(tmp_path, name)) in found['error']
        assert '\n' not in found['error']
        assert found['rows'] == []
    text = render_paper_tables(report)
    assert f'not measured: {find(report, "pw3d")["error"]}' in text
    # Beside no figures of ours there are none of the paper.
    assert '| 3DPW' not in text
    assert '| AIST++ | SPIN + HANet |' in text
    assert len(find(report, 'jhmdb')['rows']) == 2


def test_a_broken_training_file_costs_the_filters_only(tmp_path):
    write(tmp_path, 'jhmdb', make_sequences('jhmdb', [12]))
    train = data_path(tmp_path, 'jhmdb', 'train')
    train.write_bytes(b'nonsense')
    report = run(tmp_path, 'jhmdb')
    found = find(report, 'jhmdb')
    assert has_failures(report)
    assert len(found['failures']) == 5
    assert all(str(train) in x['error'] for x in found['failures'])
    assert [x['method'] for x in found['rows']] == ['input'] * 2


def test_a_failing_protocol_is_no_row(tmp_path, monkeypatch):
    write(tmp_path, 'jhmdb', make_sequences('jhmdb', [12]))
    measure = data_set_module.measure

    def fail(dataset, method, protocol, *args):
        if protocol.name == 'ours':
            raise RuntimeError('out of\nmemory')
        return measure(dataset, method, protocol, *args)

    monkeypatch.setattr(data_set_module, 'measure', fail)
    found = find(run(tmp_path, 'jhmdb'), 'jhmdb')
    assert [x['protocol'] for x in found['rows']] == ['published']
    expected = dict(method='input, ours', error='RuntimeError: out of memory')
    assert found['failures'] == [expected]


def test_unknown_names(tmp_path):
    with pytest.raises(ValueError, match=r"expected one of jhmdb, .*'coco'"):
        run(tmp_path, data_sets=['coco'])


def test_chosen_data_sets_only(tmp_path):
    for name in ('jhmdb', 'pw3d'):
        write(tmp_path, name, make_sequences(name, [12]))
    report = run(tmp_path, data_sets=['pw3d'])
    assert [x['name'] for x in report['data_sets']] == ['pw3d']
    assert report['missing'] == []
    assert 'Table 1' not in render_paper_tables(report)


def test_report_grows_data_set_by_data_set(tmp_path):
    for name in ('jhmdb', 'pw3d'):
        write(tmp_path, name, make_sequences(name, [12]))
    seen = [
        (len(report['data_sets']), report['complete'])
        for report in reproduce(PaperRequest(tmp_path, ['jhmdb', 'pw3d']))
    ]
    assert seen == [(0, False), (1, False), (2, True)]


def test_what_the_file_says_stands_beside_the_table(tmp_path):
    sequences = make_sequences('jhmdb', [12])
    sequences.meta.update(protocol='split 1 |\ntest', note='of no use')
    write(tmp_path, 'jhmdb', sequences)
    write(tmp_path, 'pw3d-smpl', make_sequences('pw3d-smpl', [12]))
    text = render_paper_tables(run(tmp_path, 'jhmdb', 'pw3d-smpl'))
    assert '  - protocol: split 1 | test\n' in text
    assert '  - note: of no use' in text
    assert '  - estimator: none (truth)\n' in text
    # The estimator is that of the file, not that of the paper.
    assert '| Sub-JHMDB (none) | input | ours |' in text
    assert '| Sub-JHMDB | SimpleBaseline + HANet | reported by' in text
    assert 'body model: SkeletonBodyModel: a skeleton of mean' in text


def test_smpl_model_of_the_user_takes_the_place_of_the_skeleton():
    mesh = dict(type='SMPLBodyModel', model_path='a.npz')
    listed = [
        dict(type='SequenceMPJAE', prefix='refined'),
        dict(type='SMPLMetric', body_model=dict(type='SkeletonBodyModel')),
        dict(type='SequenceMPJAE', source='input'),
    ]
    assert metric_configs(listed, mesh) == [
        dict(type='SequenceMPJAE'),
        dict(type='SMPLMetric', body_model=mesh),
    ]
    assert metric_configs(listed)[1] == listed[1]
    assert metric_configs(dict(type='PoseTrackAP')) == [
        dict(type='PoseTrackAP')
    ]


def test_figures_without_value_are_null(tmp_path):
    # No three frames in a row: there is no acceleration.
    write(tmp_path, 'pw3d', make_sequences('pw3d', [2, 1]))
    report = run(tmp_path, 'pw3d')
    assert figures(report, 'pw3d')['ours']['Accel'] is None
    json.dumps(report, allow_nan=False)
    row = next(
        x for x in render_paper_tables(report).splitlines() if '| ours |' in x
    )
    assert row.endswith('| 0.0 | 0.0 | n/a |')


def test_a_new_report_is_empty():
    report = new_paper_report()
    assert not report['complete']
    assert render_paper_tables(report) == ''
