# Copyright (c) hanet_mm contributors. All rights reserved.
"""What files mean: order of frames, z or score, fractions, nobody."""

import json
import warnings

import numpy as np
import pytest
from format_files import SIZE, make_person, write, write_coco, write_openpose

from hanet_mm.apis import refine_file
from hanet_mm.apis.compare import compare_files
from hanet_mm.apis.formats import open_poses
from hanet_mm.apis.formats.frame_names import frame_numbers

PERSON = make_person(0, 12, 17, 0)


def numbers(*names):
    return frame_numbers(names, 'in.json', 'image_id').tolist()


def test_numbers_of_frames():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert numbers(3, 5, 4) == [3, 5, 4]
        assert numbers('a_8.png', 'a_9.png', 'a_10.png') == [8, 9, 10]
        assert numbers('7.jpg', '7.jpg', '9.jpg') == [7, 7, 9]
        assert numbers('v2/a1.png', 'v2/a3.png') == [1, 3]


def test_times_are_counted_and_a_warning_says_so():
    names = [f'2020-01-01T00_00_{x}.png' for x in ('15.9', '16.0', '16.9')]
    with pytest.warns(UserWarning, match=r'15\.9\.png comes before .*16\.0'):
        assert numbers(*names) == [0, 1, 2]
    with pytest.warns(UserWarning, match='not listed in the order'):
        assert numbers('a9.png', 'a10.png', 'a8.png') == [9, 10, 8]


def test_two_recordings_are_not_one():
    for names in (('cam1_1.png', 'cam2_1.png'), ('a/1.png', 'b/1.png')):
        with pytest.raises(ValueError, match='a different number for each'):
            numbers(*names)


def save_npy(tmp_path, values):
    np.save(tmp_path / 'in.npy', values)
    return tmp_path / 'in.npy'


def standing(centre=(0.0, 0.0, 0.0), size=1.0):
    """Someone in 20 frames: 1.7 high, .6 wide, .4 deep, times a size."""
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 17, 3))
    points = points * [0.6, 1.7, 0.4] * np.ones((20, 1, 1))
    points += 0.01 * np.random.default_rng(1).normal(size=points.shape)
    return size * points + centre


@pytest.mark.parametrize(
    ('values', 'dims', 'metres'),
    [
        (standing(), 3, 1.0),
        (standing(size=1000), 3, 1e-3),
        (standing((0, 0, 4000), 1000), 3, 1e-3),
        (np.dstack([PERSON.keypoints, PERSON.scores]), 2, 1),
        (np.dstack([PERSON.keypoints, 3 * PERSON.scores]), 2, 1),
    ],
)
def test_z_and_score_are_told_apart(tmp_path, values, dims, metres):
    (track,) = open_poses(save_npy(tmp_path, values)).tracks
    assert track.keypoints.shape == (len(values), 17, dims)
    assert (track.scores is None) == (dims == 3)
    there = np.isfinite(track.keypoints)
    np.testing.assert_allclose(
        track.keypoints[there], (values[..., :dims] * metres)[there]
    )


@pytest.mark.parametrize(
    'values',
    [
        standing((0, 0, 4)),  # metres before a camera
        standing((1, 1, 0.5), 0.3),  # all within 0..1.5
        np.dstack([PERSON.keypoints, 100 * PERSON.scores]),  # percent
        np.dstack([PERSON.keypoints, 9 * PERSON.scores - 4]),  # logits
    ],
)
def test_what_may_be_either_is_asked_for(tmp_path, values):
    path = save_npy(tmp_path, values)
    with pytest.raises(ValueError, match='may be a score or z') as error:
        open_poses(path)
    for option in ('--dims 2', '--dims 3'):
        assert option in str(error.value)
    assert '\n' not in str(error.value)
    (track,) = open_poses(path, dims=3).tracks
    assert track.keypoints.shape[-1] == 3


def test_3d_arrays_are_written_as_they_came(tmp_path):
    given = standing(size=1000).astype(np.float32)
    path, out = save_npy(tmp_path, given), tmp_path / 'out.npy'
    refine_file(path, out, 'filter:gaussian:sigma=0.001')
    np.testing.assert_allclose(np.load(out), given, rtol=1e-5, atol=1e-2)


def test_fractions_of_the_image_are_asked_for(tmp_path):
    fractions = PERSON.keypoints / [1400, 800]
    np.savez(tmp_path / 'in.npz', data=fractions, conf=PERSON.scores)
    with pytest.raises(ValueError, match='--image-size W H'):
        open_poses(tmp_path / 'in.npz')
    poses = open_poses(tmp_path / 'in.npz', image_size=(1400, 800))
    there = PERSON.scores > 0
    np.testing.assert_allclose(
        poses.tracks[0].keypoints[there], PERSON.keypoints[there]
    )
    out = tmp_path / 'out.npz'
    refine_file(
        tmp_path / 'in.npz',
        out,
        'filter:gaussian:sigma=0.001',
        image_size=(1400, 800),
    )
    with np.load(out) as after:
        np.testing.assert_allclose(
            after['data'][there], fractions[there], atol=1e-5
        )


@pytest.mark.parametrize('image_size', [None, SIZE])
def test_landmarks_in_pixels_are_no_fractions(tmp_path, image_size):
    """As scripts write them who multiply MediaPipe's numbers themselves."""
    given = 1 + make_person(0, 12, 33, 0).keypoints
    frames = [
        [dict(x=x, y=y, visibility=0.9) for x, y in points]
        for points in given.tolist()
    ]
    path, out = write(tmp_path / 'in.json', frames), tmp_path / 'out.json'
    poses = open_poses(path, image_size=image_size)
    np.testing.assert_allclose(poses.tracks[0].keypoints, given)
    assert 'taken as pixels' in poses.note
    refine_file(path, out, 'filter:gaussian:sigma=0.001', image_size)
    (after,) = open_poses(out).tracks
    np.testing.assert_allclose(after.keypoints, given, atol=1e-2)


@pytest.mark.parametrize('content', [[[]] * 5, [None] * 5, [{}] * 5])
def test_nobody_has_no_fractions(tmp_path, content):
    """The size of the picture would not help."""
    path = write(tmp_path / 'in.json', content)
    with pytest.raises(ValueError, match='expected a person, found none'):
        refine_file(path, tmp_path / 'out.json')


NOBODY = {
    'no people': dict(people=[]),
    'null': dict(people=None),
    'no numbers': dict(people=[dict(person_id=[-1], pose_keypoints_2d=[])]),
    'null numbers': dict(people=[dict(pose_keypoints_2d=None)]),
}


@pytest.mark.parametrize('name', NOBODY)
@pytest.mark.parametrize('frame', [0, 4])
def test_frames_without_people(tmp_path, name, frame):
    """In the first frame too; the entry is kept as it is."""
    folder = write_openpose(
        tmp_path, {1: make_person(0, 12, 25, 0)}, ids=False
    )
    file = f'dance_2_{frame:012d}_keypoints.json'
    write(folder / file, NOBODY[name])
    out = tmp_path / 'out'
    summary = refine_file(folder, out, 'filter:gaussian')
    assert summary.num_keypoints == 11 * 25
    assert json.loads((out / file).read_text()) == NOBODY[name]
    assert compare_files(out).figures()['filled'].after == summary.num_filled


@pytest.mark.parametrize('empty', [[], None])
def test_entries_without_keypoints(tmp_path, empty):
    path = write_coco(tmp_path, {4: PERSON})
    content = json.loads(path.read_text())
    content[0]['keypoints'] = empty
    write(path, content)
    (track,) = open_poses(path).tracks
    assert track.first_frame == 1
    out = tmp_path / 'out.json'
    refine_file(path, out, 'filter:gaussian')
    assert json.loads(out.read_text())[0] == content[0]


def test_places_of_nobody_beside_somebody(tmp_path):
    """OpenPose with a fixed number of people: zeros are not a second one."""
    folder = write_openpose(
        tmp_path, {1: make_person(0, 12, 25, 0)}, ids=False
    )
    for file in folder.iterdir():
        content = json.loads(file.read_text())
        nobody = dict(person_id=[-1], pose_keypoints_2d=[0] * 75)
        write(file, dict(content, people=[nobody, *content['people']]))
    (track,) = open_poses(folder).tracks
    assert len(track.keypoints) == 12


@pytest.mark.parametrize(
    'score', ['score', 'likelihood', 'conf', 'confidence', 'visibility']
)
@pytest.mark.parametrize('form', ['{0}_{1}', '{0}.{1}', '{1}_{0}'])
def test_spellings_of_columns(tmp_path, score, form):
    names = ('left_knee', 'right_knee')
    columns = [form.format(x, y) for x in names for y in ('x', 'y', score)]
    rows = [[t, 100 + t, 200, 0.5, 150, 230 + t, 0.25] for t in range(4)]
    text = '\n'.join(
        ','.join(map(str, row)) for row in [['Frame', *columns], *rows]
    )
    (tmp_path / 'in.csv').write_text(text)
    poses = open_poses(tmp_path / 'in.csv')
    assert poses.keypoint_names == [*names]
    (track,) = poses.tracks
    np.testing.assert_array_equal(track.scores, [[0.5, 0.25]] * 4)
    np.testing.assert_array_equal(track.keypoints[3], [[103, 200], [150, 233]])
    assert track.is_visibility == (score == 'visibility')


@pytest.mark.parametrize('cell', ['', 'nan', 'NaN', 'None', 'null', 'NA'])
def test_missing_cells(tmp_path, cell):
    (tmp_path / 'in.csv').write_text(
        f'frame,a_x,a_y,b_x,b_y\n0,{cell},{cell},50,60\n1,9,80,55,60\n'
    )
    (track,) = open_poses(tmp_path / 'in.csv').tracks
    assert track.missing.tolist() == [[True, False], [False, False]]


MEDIAPIPE = make_person(0, 12, 33, 0)


def landmarks(frame):
    return [
        [float(x), float(y), -0.1, float(score)]
        for (x, y), score in zip(
            MEDIAPIPE.keypoints[frame] / SIZE, MEDIAPIPE.scores[frame]
        )
    ]


def wide(first, form):
    def save(path):
        columns = [
            form.format(i + first, y) for i in range(33) for y in 'xyzv'
        ]
        rows = [
            ['squat', *(x for one in landmarks(t) for x in one)]
            for t in range(12)
        ]
        write_rows(path, [['class', *columns], *rows])

    return save


def long(path):
    rows = [
        [t, k, *one] for t in range(12) for k, one in enumerate(landmarks(t))
    ]
    header = ['frame_id', 'landmark_id', 'x', 'y', 'z', 'visibility']
    write_rows(path, [header, *rows])


def write_rows(path, rows):
    path.write_text('\n'.join(','.join(map(str, row)) for row in rows))


@pytest.mark.parametrize(
    'save',
    [wide(1, '{1}{0}'), wide(0, '{1}_{0}'), wide(0, 'lm_{0}_{1}'), long],
)
def test_tables_of_mediapipe(tmp_path, save):
    path, out = tmp_path / 'in.csv', tmp_path / 'out.csv'
    save(path)
    with pytest.raises(ValueError, match='--image-size W H'):
        open_poses(path)
    poses = open_poses(path, image_size=SIZE)
    assert poses.keypoint_names[0] == 'nose'
    (track,) = poses.tracks
    there = MEDIAPIPE.scores > 0
    np.testing.assert_allclose(
        track.keypoints[there], MEDIAPIPE.keypoints[there], atol=1e-4
    )
    assert track.is_visibility
    summary = refine_file(path, out, 'filter:gaussian', image_size=SIZE)
    figures = compare_files(out, image_size=SIZE).figures()
    assert figures['filled'].after == summary.num_filled == 1
    assert figures['mean_displacement'].after > 0.1


def dicts(frame):
    keys = ('x', 'y', 'z', 'visibility')
    return [dict(zip(keys, x)) for x in landmarks(frame)]


JSON = {
    'numbers': lambda t: landmarks(t),
    'protobuf': lambda t: {'landmark': dicts(t)},
    'people': lambda t: [dicts(t)],
    'entry of protobuf': lambda t: {'pose_landmarks': {'landmark': dicts(t)}},
    'entry': lambda t: {'frame': t, 'landmarks': dicts(t)},
}


@pytest.mark.parametrize('numbered', [False, True])
@pytest.mark.parametrize('nobody', [None, [], {}])
@pytest.mark.parametrize('name', JSON)
def test_json_of_mediapipe(tmp_path, name, nobody, numbered):
    frames = [JSON[name](t) for t in range(12)]
    frames[0] = nobody
    content = {str(t): x for t, x in enumerate(frames)} if numbered else frames
    path, out = write(tmp_path / 'in.json', content), tmp_path / 'out.json'
    (track,) = open_poses(path, image_size=SIZE).tracks
    assert track.first_frame == 1
    there = MEDIAPIPE.scores[1:] > 0
    np.testing.assert_allclose(
        track.keypoints[there], MEDIAPIPE.keypoints[1:][there], atol=1e-4
    )
    refine_file(path, out, 'filter:gaussian:sigma=0.001', image_size=SIZE)
    (after,) = open_poses(out, image_size=SIZE).tracks
    np.testing.assert_allclose(
        after.keypoints[there], track.keypoints[there], atol=1e-2
    )


@pytest.mark.parametrize('flat', [False, True])
def test_three_numbers_of_an_instance(tmp_path, flat):
    """x, y, score of somebody in pixels; x, y, z of somebody in metres."""
    values = standing()[:12]
    if flat:
        values = np.dstack([PERSON.keypoints, PERSON.scores])
    content = [
        dict(frame_id=t, instances=[dict(keypoints=x.tolist())])
        for t, x in enumerate(values)
    ]
    path, out = write(tmp_path / 'in.json', content), tmp_path / 'out.json'
    (track,) = open_poses(path).tracks
    assert track.keypoints.shape[-1] == (2 if flat else 3)
    refine_file(path, out, 'filter:gaussian')
    for old, new in zip(values, json.loads(out.read_text())):
        found = np.array(new['instances'][0]['keypoints'])
        assert found.shape == old.shape
        assert (found[:, 2] == old[:, 2]).all() == flat
