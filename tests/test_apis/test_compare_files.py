# Copyright (c) hanet_mm contributors. All rights reserved.
"""Comparison of files: refined ones, errors, the command and the plot."""

import argparse
import csv
import json

import numpy as np
import pytest
from comparison_data import (
    NAMES,
    K,
    make_motion,
    make_people,
    save_flat,
    save_mmpose,
    save_plain,
)

from hanet_mm.apis.commands import compare
from hanet_mm.apis.compare import compare_files
from hanet_mm.apis.formats import open_poses
from hanet_mm.core.refine.inputs import RefineResult
from hanet_mm.filters import GaussianFilter


def people_with_gaps():
    """Persons, and scores of which 5 are 0, never in whole frames."""
    people = make_people()
    scores = [np.full(x.shape[:2], 0.9) for x in people]
    scores[0][8:12, 1] = scores[2][0, 3] = 0
    for points, certain in zip(people, scores):
        points[certain == 0] = 0
    return people, scores


def save_coco(path, person, scores):
    triples = np.concatenate([person, scores[..., None]], axis=-1)
    path.write_text(
        json.dumps(
            [
                dict(image_id=t, category_id=1, keypoints=x, score=1.0)
                for t, x in enumerate(
                    triples.reshape(len(person), -1).tolist()
                )
            ]
        )
    )
    return path


def save_openpose(path, person, scores):
    path.mkdir()
    triples = np.concatenate([person, scores[..., None]], axis=-1)
    for t, points in enumerate(triples.reshape(len(person), -1).tolist()):
        people = [dict(person_id=[-1], pose_keypoints_2d=points)]
        (path / f'walk_{t:06d}_keypoints.json').write_text(
            json.dumps(dict(version=1.3, people=people))
        )
    return path


def save_csv(path, person, scores):
    header = ['frame']
    for name in NAMES:
        header += [f'{name}_x', f'{name}_y', f'{name}_score']
    triples = np.concatenate([person, scores[..., None]], axis=-1)
    rows = triples.reshape(len(person), -1).tolist()
    with open(path, 'w', newline='') as file:
        csv.writer(file).writerows(
            [header, *([t, *row] for t, row in enumerate(rows))]
        )
    return path


def save_flat_with_scores(path, people, scores):
    return save_flat(path, people, np.concatenate(scores))


def save_mmpose_with_scores(path, people, scores):
    return save_mmpose(path, people, scores=scores)


ALL_PEOPLE = {
    'flat.npz': save_flat_with_scores,
    'mmpose.json': save_mmpose_with_scores,
}
ONE_PERSON = {
    'plain.npz': lambda path, x, s: save_plain(path, x, scores=s),
    'arrays.npz': lambda path, x, s: save_plain(
        path, x[:, None], scores=s[:, None]
    ),
    'coco.json': save_coco,
    'openpose': save_openpose,
    'table.csv': save_csv,
}


@pytest.mark.parametrize('name', [*ALL_PEOPLE, *ONE_PERSON])
def test_a_refined_file_tells_what_it_came_from(tmp_path, name):
    people, scores = people_with_gaps()
    if name in ONE_PERSON:
        gaps, total = 4, people[0].shape[0]
        source = ONE_PERSON[name](tmp_path / name, people[0], scores[0])
    else:
        gaps, total = 5, sum(map(len, people))
        source = ALL_PEOPLE[name](tmp_path / name, people, scores)
    poses = open_poses(source)
    results = GaussianFilter(2).refine(
        [track.keypoints for track in poses.tracks],
        [track.scores for track in poses.tracks],
    )
    (tmp_path / 'out').mkdir()
    refined = tmp_path / 'out' / name
    poses.save(refined, results)
    alone = compare_files(refined)
    rows = alone.figures()
    assert alone.about['before'] == f'{refined} (input)'
    assert alone.about['frames'] == total
    assert rows['filled'].after == gaps
    assert rows['removed'].after == 0
    smooth = np.concatenate([result.keypoints for result in results])
    seen = np.concatenate([~result.filled for result in results])
    given = people[:1] if name in ONE_PERSON else people
    moved = np.linalg.norm(smooth - np.concatenate(given), axis=-1)[seen]
    assert rows['mean_displacement'].after == pytest.approx(
        moved.mean(), rel=1e-3
    )
    assert rows['jitter'].after < 0.9 * rows['jitter'].before
    both = compare_files(source, refined)
    for one, other in zip(alone.rows, both.rows):
        assert one.after == pytest.approx(other.after, nan_ok=True)
        assert one.note == other.note


@pytest.mark.parametrize('name', ['flat.npz', 'mmpose.json', 'coco.json'])
def test_gaps_that_were_left_empty_are_not_filled(tmp_path, name):
    people, scores = people_with_gaps()
    if name in ONE_PERSON:
        source = ONE_PERSON[name](tmp_path / name, people[0], scores[0])
    else:
        source = ALL_PEOPLE[name](tmp_path / name, people, scores)
    poses = open_poses(source)
    results = []
    for track in poses.tracks:
        points = np.array(track.keypoints, float)
        missing = track.scores == 0
        points[missing] = np.nan
        results.append(RefineResult(points, np.zeros_like(missing)))
    refined = tmp_path / f'refined_{name}'
    poses.save(refined, results)
    assert compare_files(refined).figures()['filled'].after == 0


def rotations(path):
    np.savez(path, poses=np.zeros((5, 72)))
    return path


def wrong_names(path):
    return save_flat(path, make_people(), names=['nose', 'ear', *NAMES[2:]])


def fewer_frames(path):
    people = make_people()
    people[1] = people[1][:-1]
    return save_flat(path, people)


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (fewer_frames, r"'walk1' \(index 1\): expected frames 0 to 24 as in "),
        (fewer_frames, r'a.npz, found 0 to 23'),
        (
            lambda path: save_flat(path, make_people()[:2]),
            r"b.npz: expected sequence 'walk2' \(index 2\) as in .*a.npz, "
            r"found sequence 'walk0' \(index 0\), sequence 'walk1'",
        ),
        (
            lambda path: save_flat(path, [*make_people(), make_people()[0]]),
            r"a.npz: expected sequence 'walk3' \(index 3\) as in .*b.npz",
        ),
        (wrong_names, "keypoint 1: expected 'left_wrist' as in .*found 'ear'"),
        (
            lambda path: save_flat(
                path, [x[:, :3] for x in make_people()], names=None
            ),
            r'\(K, D\) = \(4, 2\) as in .*a.npz, found \(3, 2\)',
        ),
        (
            lambda path: save_flat(path, make_people(), units='m'),
            'b.npz: unit: expected px as in .*a.npz, found m',
        ),
        (rotations, 'b.npz: expected positions of keypoints, found rotations'),
        (lambda path: path, 'b.npz: no such pose file'),
    ],
)
def test_what_is_not_the_same_is_a_one_line_error(tmp_path, make, message):
    before = save_flat(tmp_path / 'a.npz', make_people())
    after = make(tmp_path / 'b.npz')
    with pytest.raises((ValueError, FileNotFoundError), match=message) as info:
        compare_files(before, after)
    assert '\n' not in str(info.value)


def test_other_errors_are_one_line(tmp_path):
    path = save_flat(tmp_path / 'a.npz', make_people())
    folder = str(tmp_path)
    for args, message in (
        ((path,), 'a.npz: expected keypoints_input, .* found none'),
        ((path, path, path), 'a.npz: expected keypoints_gt, found none'),
        ((path, path, None, -1), 'tolerance: expected at least 0, got -1'),
    ):
        with pytest.raises(ValueError, match=message) as info:
            compare_files(*args)
        assert '\n' not in str(info.value)
        assert str(info.value).count(folder) <= 1
    late = save_mmpose(tmp_path / 'b.json', [make_motion(range(9))], first=3)
    early = save_mmpose(tmp_path / 'c.json', [make_motion(range(9))], first=2)
    with pytest.raises(ValueError, match=r'frames 3 to 11 .*found 2 to 10'):
        compare_files(late, early)


def call(*args):
    """Run the subcommand."""
    parser = argparse.ArgumentParser()
    compare.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(['compare', *map(str, args)])
    return parsed.run(parsed)


def files(tmp_path):
    rng = np.random.default_rng(0)
    truth = make_people()
    rough = [x + rng.normal(0, 5, x.shape) for x in truth]
    before = save_flat(
        tmp_path / 'a.npz', rough, keypoints_gt=np.concatenate(truth)
    )
    smooth = [x.keypoints for x in GaussianFilter(2).refine(rough)]
    return before, save_flat(tmp_path / 'b.npz', smooth)


def test_json_has_the_figures_of_the_table(tmp_path):
    before, after = files(tmp_path)
    table = call(before, after, '--gt', before)
    content = json.loads(call(before, after, '--gt', before, '--json'))
    comparison = compare_files(before, after, before)
    lines = table.split('\n')
    assert lines[0] == f'before: {before}'
    for row in comparison.rows:
        item = content[row.key]
        begin = f'{row.label} (' if row.unit else f'{row.label} '
        (line,) = [line for line in lines if line.startswith(begin)]
        # Columns are two blanks or more apart.
        cells = line[len(row.label) :].split('  ')
        cells = [x.strip() for x in cells if x.strip()]
        if row.unit:
            assert cells.pop(0) == f'({row.unit})'
        keys = ('value',) if row.before is None else ('before', 'after')
        for key in keys:
            assert float(cells.pop(0)) == pytest.approx(
                item[key], rel=0.01, abs=0.005
            )
        if row.before and row.relative:
            change = 100 * (item['after'] - item['before']) / item['before']
            assert cells.pop(0) == f'{change:+.1f} %'
        assert cells == ([item['note']] if 'note' in item else [])
    assert content['persons'] == 3
    assert content['frames'] == 96
    assert content['mean_error']['after'] < content['mean_error']['before']


def test_what_is_unknown_is_a_dash_and_null(tmp_path):
    path = save_plain(tmp_path / 'a.npz', make_motion(range(2)))
    content = json.loads(call(path, path, '--json'))
    assert content['jitter'] == dict(
        unit='px/frame^3', before=None, after=None
    )
    assert content['lag']['value'] is None
    (line,) = [x for x in call(path, path).split('\n') if 'jitter' in x]
    assert line.split() == ['jitter', '(px/frame^3)', '-', '-']


def test_the_plot_is_written(tmp_path):
    before, after = files(tmp_path)
    out = tmp_path / 'new' / 'plot.png'
    call(before, after, '--gt', before, '-o', out)
    assert out.read_bytes().startswith(b'\x89PNG')
    assert [x.name for x in out.parent.iterdir()] == [out.name]


def test_the_plot_shows_where_most_was_changed(tmp_path):
    plot = pytest.importorskip('hanet_mm.apis.compare.plot')
    most_changed = pytest.importorskip(
        'hanet_mm.visualization.changes_plot'
    ).most_changed
    people = [make_motion(range(n), i) for i, n in enumerate((600, 40))]
    before = save_flat(tmp_path / 'a.npz', people)
    people[0][400:500, 2] += 9
    people[0][410:420, 0] += 5
    people[1][3, 1] += 30
    after = save_flat(tmp_path / 'b.npz', people)
    pair, change = plot.person_most_changed(compare_files(before, after))
    start, joints = most_changed(change)
    assert pair.name == "sequence 'walk0' (index 0)"
    # Windows of 250 frames that hold all that was changed.
    assert 250 <= start <= 400
    assert joints[:2] == [2, 0]
    assert len(joints) == K - 1


def test_no_picture_format_is_a_one_line_error(tmp_path):
    before, after = files(tmp_path)
    with pytest.raises(ValueError, match=r'plot\.txt: expected a picture'):
        call(before, after, '-o', tmp_path / 'plot.txt')
