# Copyright (c) hanet_mm contributors. All rights reserved.
"""``--ignore-scores``, scores of other scales and MediaPipe's visibility."""

import json

import numpy as np
import pytest
from benchmark_data import make_refiner, make_sequences
from format_files import COCO, make_persons, write_mediapipe
from test_unknown_scores import make_keypoints, read_npz, write_csv

from hanet_mm.apis import refine_file
from hanet_mm.apis.benchmark import Request, evaluate, render_tables
from hanet_mm.apis.cli import main
from hanet_mm.apis.formats import open_poses
from hanet_mm.apis.video.frames import Frame
from hanet_mm.apis.video.refine_stage import BufferedStream, RefineStage
from hanet_mm.core.data.gaps import UNKNOWN_SCORE
from hanet_mm.core.data.sequences import save_pose_sequences
from hanet_mm.filters import KalmanFilter


def write(path, keypoints, **more):
    np.savez(path, keypoints=keypoints, keypoint_names=COCO, **more)
    return path


def make_scores(keypoints):
    return np.random.default_rng(1).uniform(0.1, 1, keypoints.shape[:2])


@pytest.mark.parametrize('factor', [1, 100], ids=['scores', 'percent'])
@pytest.mark.parametrize(
    'method', ['--refiner coco17-2d', '--filter kalman'], ids=str.split
)
def test_ignored_scores_are_those_of_a_file_without(
    tmp_path, capsys, factor, method
):
    keypoints = make_keypoints()[:, :17]
    scores = make_scores(keypoints) * factor
    scores[7, 3], scores[9, 4] = 0, np.nan
    given = write(tmp_path / 'given.npz', keypoints, scores=scores)
    keypoints[[7, 9], [3, 4]] = np.nan
    without = write(tmp_path / 'without.npz', keypoints)
    out = [tmp_path / 'a.npz', tmp_path / 'b.npz']
    more = [*method.split(), '--ignore-scores']
    assert main(['refine', str(given), '-o', str(out[0]), *more]) == 0
    assert main(['refine', str(without), '-o', str(out[1]), *more[:2]]) == 0
    np.testing.assert_array_equal(*map(read_npz, out))
    with np.load(out[0]) as arrays:
        np.testing.assert_array_equal(arrays['scores'], scores)


def test_without_the_option_scores_count(tmp_path):
    keypoints = make_keypoints()[:, :17]
    scores = make_scores(keypoints)
    given = write(tmp_path / 'given.npz', keypoints, scores=scores)
    found = []
    for ignore in (False, True):
        out = tmp_path / f'{ignore}.npz'
        refine_file(given, out, 'filter:kalman', ignore_scores=ignore)
        found.append(read_npz(out))
    assert np.abs(found[0] - found[1]).max() > 0.1


@pytest.mark.parametrize('wrong', [87.5, -2.5, np.inf])
def test_a_file_with_other_quantities_is_refused(tmp_path, capsys, wrong):
    keypoints = make_keypoints()[:, :17]
    scores = make_scores(keypoints)
    scores[7, 3] = wrong
    given = write(tmp_path / 'given.npz', keypoints, scores=scores)
    out = tmp_path / 'out.npz'
    assert main(['refine', str(given), '-o', str(out)]) != 0
    line = capsys.readouterr().err.strip()
    assert (
        f'{given}: keypoints: frame 7, keypoint 3: expected a score in 0..1, '
        f'found {wrong:g}' in line
    )
    assert '\n' not in line
    assert not out.exists()


def test_frames_are_numbered_as_in_the_file(tmp_path):
    entries = [
        dict(image_id=20 + i, category_id=1, keypoints=[5, 6, 0.5] * 17)
        for i in range(3)
    ]
    entries[2]['keypoints'] = [5, 6, 0.5] * 16 + [5, 6, 55.0]
    path = tmp_path / 'coco.json'
    path.write_text(json.dumps(entries))
    with pytest.raises(ValueError, match=r'frame 22, keypoint 16: .* 55;'):
        refine_file(path, tmp_path / 'out.json', 'filter:median')


def test_visibility_of_mediapipe_counts_a_quarter(tmp_path):
    """As far from 0.8, that of unknown scores; 0 is missing."""
    person = make_persons(33)[4]
    path = write_mediapipe(tmp_path, {4: person})
    drawn = UNKNOWN_SCORE + (person.scores - UNKNOWN_SCORE) / 4
    drawn = np.where(person.scores > 0, drawn, 0)
    (track,) = open_poses(path).tracks
    assert (person.scores == 0).any()
    np.testing.assert_allclose(track.scores, person.scores)
    np.testing.assert_allclose(track.believed, drawn, rtol=1e-6)
    for ignore, expected in (
        (False, drawn),
        (True, np.where(drawn > 0, UNKNOWN_SCORE, 0)),
    ):
        out = tmp_path / f'{ignore}.json'
        refine_file(path, out, 'filter:kalman', ignore_scores=ignore)
        content = json.loads(out.read_text())
        found = [
            [[landmark['x'] * 640, landmark['y'] * 480] for landmark in frame]
            for frame in content['frames']
        ]
        arrays = dict(keypoints=person.keypoints, scores=expected)
        np.savez(tmp_path / 'in.npz', **arrays)
        plain = tmp_path / 'plain.npz'
        refine_file(tmp_path / 'in.npz', plain, 'filter:kalman')
        np.testing.assert_allclose(found, read_npz(plain), atol=1e-3)
    visibility = [x['visibility'] for x in content['frames'][0]]
    np.testing.assert_allclose(visibility, person.scores[0])


@pytest.mark.parametrize('ending', ['score', 'visibility'])
def test_visibility_in_a_table(tmp_path, ending):
    path = tmp_path / 'table.csv'
    write_csv(path, COCO, scores=['nose'])
    text = path.read_text().replace('nose_score', f'nose_{ending}')
    path.write_text(text)
    (track,) = open_poses(path).tracks
    np.testing.assert_array_equal(track.scores[:, 0], 0.4)
    np.testing.assert_allclose(track.scores[:, 1], UNKNOWN_SCORE)
    # 0.8 - 0.4 / 4
    believed = 0.4 if ending == 'score' else 0.7
    np.testing.assert_allclose(track.believed[:, 0], believed)
    np.testing.assert_allclose(track.believed[:, 1], UNKNOWN_SCORE)


class Recorder:
    """A filter that keeps the scores that it is given."""

    def refine(self, keypoints, scores):
        self.scores = scores
        return KalmanFilter(0.1).refine(keypoints, scores)


@pytest.mark.parametrize('ignore', [False, True])
def test_a_video_passes_scores_on_or_not(ignore):
    recorder, scores = Recorder(), np.array([[0.9, 0.2, 0.0, 0.7]])
    stage = RefineStage(
        BufferedStream(recorder), kpt_thr=0.3, ignore_scores=ignore
    )
    frame = Frame(
        0,
        None,
        bboxes=np.zeros((1, 4), np.float32),
        keypoints=np.ones((1, 4, 2), np.float32),
        keypoint_scores=scores,
        track_ids=np.array([0]),
        segments=np.array([0]),
    )
    stage.push(frame)
    stage.flush()
    kept = np.array([[0.9, 0, 0, 0.7]], np.float32)
    given = kept
    if ignore:
        given = np.where(kept > 0, np.float32(UNKNOWN_SCORE), 0)
    np.testing.assert_array_equal(recorder.scores, given)
    np.testing.assert_array_equal(frame.keypoint_scores, kept)


def test_an_evaluation_without_scores(tmp_path):
    """That of the same data with all scores unknown, also beyond 0..1."""
    sequences = make_sequences(lengths=(20, 12))
    sequences.scores = sequences.scores * 100
    paths = [tmp_path / 'given.npz', tmp_path / 'unknown.npz']
    save_pose_sequences(paths[0], sequences)
    sequences.scores = np.full_like(sequences.scores, UNKNOWN_SCORE)
    save_pose_sequences(paths[1], sequences)
    make_refiner().save(tmp_path / 'mine.safetensors')
    rows = []
    for path, ignore in zip(paths, (True, False)):
        request = Request(
            [str(tmp_path / 'mine.safetensors')],
            data=path,
            curves=[],
            ignore_scores=ignore,
        )
        (report,) = evaluate(request)
        (table,) = report['tables']
        rows.append([row['mean_error'] for row in table['rows']])
        assert ('Scores ignored' in render_tables(report)) == ignore
    assert rows[0] == rows[1]
    request = Request([str(tmp_path / 'mine.safetensors')], data=paths[0])
    with pytest.raises(ValueError, match=r"given.npz: sequence 'clip0'"):
        list(evaluate(request))
