# Copyright (c) hanet_mm contributors. All rights reserved.
"""Files in the layouts that programs write: read, refined, written, compared.

Layouts are those of the programs' writers: Pose2Sim and OpenSim (.trc),
ultralytics (labels, summary), MMPoseInferencer, DeepLabCut, SLEAP,
VideoPose3D, OpenPose (BODY_25B).
"""

import json

import numpy as np
import pytest
from format_files import (
    COCO,
    SAME,
    SIZE,
    SMOOTH,
    make_person,
    write,
    write_openpose,
)

from hanet_mm.apis import refine_file
from hanet_mm.apis.compare import compare_files
from hanet_mm.apis.formats import open_poses
from hanet_mm.core.poses.skeleton_data import SKELETONS

FRAMES = 12


FIRST, SECOND = (make_person(0, FRAMES, 17, i) for i in (0, 1))


def assert_found(track, person, atol=1e-3):
    there = person.scores > 0
    np.testing.assert_allclose(
        track.keypoints[there], person.keypoints[there], atol=atol
    )
    assert (track.missing == ~there).all()


def write_labels(folder, people, conf=True, ids=True, scores=True):
    """``save_txt``: fractions, no file where nothing was found."""
    folder.mkdir()
    for t in range(FRAMES):
        lines = []
        for number, person in people.items():
            if t == 5:
                continue
            points = person.keypoints[t] / SIZE
            if scores:
                points = np.column_stack([points, person.scores[t]])
            row = [0, 0.5, 0.5, 0.2, 0.4, *points.ravel()]
            row += [0.87] * conf + [number] * ids
            lines.append(' '.join(f'{x:g}' for x in row))
        if lines:
            text = '\n'.join(lines) + '\n'
            (folder / f'clip_{t + 1}.txt').write_text(text)
    return folder


@pytest.mark.parametrize('conf', [False, True])
@pytest.mark.parametrize('scores', [False, True])
@pytest.mark.parametrize('ids', [False, True])
def test_labels_of_ultralytics(tmp_path, conf, ids, scores):
    people = {1: FIRST, 2: SECOND} if ids else {1: FIRST}
    path = write_labels(tmp_path / 'labels', people, conf, ids, scores)
    with pytest.raises(ValueError, match='--image-size W H'):
        open_poses(path)
    poses = open_poses(path, image_size=SIZE)
    assert poses.keypoint_names == COCO
    assert len(poses.tracks) == len(people)
    rows = [t for t in range(FRAMES) if t != 5]
    for track, person in zip(poses.tracks, people.values()):
        assert track.first_frame == 1
        there = person.scores[rows] > 0
        np.testing.assert_allclose(
            track.keypoints[rows][there],
            person.keypoints[rows][there],
            atol=0.01,
        )
        assert track.missing[5].all()
        assert (track.missing[rows] == ~there).all()
    out = tmp_path / 'out'
    refine_file(path, out, SAME, image_size=SIZE)
    assert {x.name for x in out.iterdir()} == {x.name for x in path.iterdir()}
    for file in path.iterdir():
        old, new = np.loadtxt(file, ndmin=2), np.loadtxt(out / file.name)
        new = new.reshape(old.shape)
        size = 3 if scores else 2
        k = 5 + 17 * size
        np.testing.assert_array_equal(new[:, :5], old[:, :5])
        np.testing.assert_array_equal(new[:, k:], old[:, k:])
        old, new = (x[:, 5:k].reshape(-1, 17, size) for x in (old, new))
        seen = (old[..., :2] != 0).all(-1)
        np.testing.assert_allclose(new[seen], old[seen], atol=1e-4)
        assert (new[..., :2] != 0).all()
    figures = compare_files(path, out, image_size=SIZE).figures()
    assert figures['filled'].after == len(people)


def test_results_of_the_real_ultralytics(tmp_path):
    """What its own writers write of results made here."""
    results = pytest.importorskip('ultralytics.engine.results')
    torch = pytest.importorskip('torch')
    labels = tmp_path / 'labels'
    labels.mkdir()
    frames = []
    for t in range(FRAMES):
        boxes = torch.tensor([[10, 20, 300, 400, 3, 0.9, 0]])
        points = np.column_stack([FIRST.keypoints[t], FIRST.scores[t]])[None]
        points = torch.tensor(points).float()
        some = slice(0 if t == 0 else 1)  # nobody in the first frame
        frames.append(
            results.Results(
                np.zeros((480, 640, 3), np.uint8),
                path='clip.mp4',
                names={0: 'person'},
                boxes=boxes[some],
                keypoints=points[some],
            )
        )
        frames[-1].save_txt(labels / f'clip_{t + 1}.txt', save_conf=True)
    files = {labels: 0.01}
    for name, content in dict(
        pixels=[x.summary() for x in frames],
        fractions=[x.summary(normalize=True) for x in frames],
    ).items():
        files[write(tmp_path / f'{name}.json', content)] = 0.01
    for file, atol in files.items():
        (track,) = open_poses(file, image_size=SIZE).tracks
        assert track.name.replace('_', ' ') == 'track id 3'
        there = FIRST.scores[1:] > 0
        np.testing.assert_allclose(
            track.keypoints[there], FIRST.keypoints[1:][there], atol=atol
        )
        assert (track.missing == ~there).all()


def test_pictures_of_mmpose(tmp_path):
    folder = tmp_path / 'predictions'
    folder.mkdir()
    for t in range(FRAMES):
        content = [
            dict(
                keypoints=FIRST.keypoints[t].tolist(),
                keypoint_scores=FIRST.scores[t].tolist(),
                bbox=[[0, 0, 9, 9]],
                bbox_score=0.9,
            )
        ]
        write(folder / f'img{t + 8}.json', [] if t == 0 else content)
    (track,) = open_poses(folder).tracks
    assert track.first_frame == 9
    out = tmp_path / 'out'
    summary = refine_file(folder, out, SMOOTH)
    assert summary.num_filled == 1
    assert json.loads((out / 'img8.json').read_text()) == []
    (new,) = json.loads((out / 'img10.json').read_text())
    assert new['bbox_score'] == 0.9
    assert new['filled'][5]
    assert compare_files(out).figures()['filled'].after == 1


def write_deeplabcut(path, people):
    """One animal has three lines of header, several have four."""
    columns = [
        (who, part, axis)
        for who in people
        for part in COCO
        for axis in ('x', 'y', 'likelihood')
    ]
    rows = [['scorer', *['DLC_resnet50'] * len(columns)]]
    if len(people) > 1:
        rows.append(['individuals', *(x[0] for x in columns)])
    rows.append(['bodyparts', *(x[1] for x in columns)])
    rows.append(['coords', *(x[2] for x in columns)])
    for t in range(FRAMES):
        row = [t]
        for person in people.values():
            cells = np.column_stack([person.keypoints[t], person.scores[t]])
            away = person is SECOND and t < 3
            row += ['' if away else x for x in cells.ravel()]
        rows.append(row)
    path.write_text('\n'.join(','.join(map(str, row)) for row in rows))
    return path


@pytest.mark.parametrize('several', [False, True])
def test_deeplabcut(tmp_path, several):
    people = {'ann': FIRST, 'bob': SECOND} if several else {'ann': FIRST}
    path = write_deeplabcut(tmp_path / 'in.csv', people)
    poses = open_poses(path)
    assert poses.keypoint_names == COCO
    assert_found(poses.tracks[0], FIRST)
    if several:
        assert poses.tracks[1].name == "individual 'bob'"
        assert poses.tracks[1].first_frame == 3
    out = tmp_path / 'out.csv'
    summary = refine_file(path, out, SMOOTH)
    old, new = (
        [x.split(',') for x in file.read_text().split('\n') if x]
        for file in (path, out)
    )
    head = 4 if several else 3
    assert new[:head] == old[:head]
    for a, b in zip(old[head:], new[head:]):
        assert a[3::3] == b[3::3]  # likelihoods
        assert (a[1] == '') == (b[1] == '')
        assert a[1] != b[1]
    figures = compare_files(path, out).figures()
    assert figures['removed'].after == 0
    assert figures['mean_displacement'].after > 0.1
    assert summary.num_filled == 1


def test_sleap(tmp_path):
    header = ['track', 'frame_idx', 'instance.score']
    header += [f'{x}.{y}' for x in COCO for y in ('x', 'y', 'score')]
    rows = [
        [
            who,
            t,
            0.9,
            *np.column_stack([person.keypoints[t], person.scores[t]]).ravel(),
        ]
        for t in range(FRAMES)
        for who, person in (('track_0', FIRST), ('track_1', SECOND))
    ]
    path, out = tmp_path / 'in.csv', tmp_path / 'out.csv'
    path.write_text('\n'.join(','.join(map(str, x)) for x in [header, *rows]))
    poses = open_poses(path)
    assert poses.keypoint_names == COCO
    assert_found(poses.tracks[0], FIRST)
    assert_found(poses.tracks[1], SECOND)
    assert refine_file(path, out, SMOOTH).num_filled == 2
    assert compare_files(out).figures()['filled'].after == 2


def test_videopose3d(tmp_path):
    positions = {'clip.mp4': {'custom': [FIRST.keypoints.astype(np.float32)]}}
    meta = dict(
        layout_name='coco',
        num_joints=17,
        keypoints_symmetry=[[1], [2]],
        video_metadata={'clip.mp4': dict(w=640, h=480)},
    )
    path, out = tmp_path / 'data_2d_custom_x.npz', tmp_path / 'out.npz'
    np.savez_compressed(path, positions_2d=positions, metadata=meta)
    with pytest.raises(ValueError, match='--trust-pickle'):
        open_poses(path)
    poses = open_poses(path, trust_pickle=True)
    assert poses.keypoint_names == COCO
    assert tuple(poses.tracks[0].image_size) == (640, 480)
    refine_file(path, out, SMOOTH, trust_pickle=True)
    with np.load(out, allow_pickle=True) as after:
        assert after['metadata'].item() == meta
        (points,) = after['positions_2d'].item()['clip.mp4']['custom']
        assert points.shape == (FRAMES, 17, 2)
    figures = compare_files(path, out, trust_pickle=True).figures()
    assert figures['mean_displacement'].after > 0.1


def body():
    """Somebody who stands, (25, 2), by the names of both OpenPose orders."""
    points = dict(nose=(0, 0), upper_neck=(0, 30), neck=(0, 35))
    points.update(head_top=(0, -40), mid_hip=(0, 150))
    for side, x in (('left', 1), ('right', -1)):
        for name, place in dict(
            eye=(8, -8),
            ear=(16, -4),
            shoulder=(40, 35),
            elbow=(55, 90),
            wrist=(60, 145),
            hip=(22, 150),
            knee=(24, 230),
            ankle=(26, 310),
            big_toe=(34, 325),
            small_toe=(40, 322),
            heel=(24, 318),
        ).items():
            points[f'{side}_{name}'] = (x * place[0], place[1])
    return points


@pytest.mark.parametrize('name', ['openpose25', 'openpose25b'])
@pytest.mark.parametrize('turn', [0, 90, 200])
def test_orders_of_openpose(tmp_path, name, turn):
    angle = np.radians(turn)
    matrix = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    names = SKELETONS[name].keypoint_names
    points = np.array([body()[x] for x in names]) @ np.array(matrix) + 600
    points = points + np.random.default_rng(0).normal(0, 3, (FRAMES, 25, 2))
    person = FIRST._replace(
        keypoints=points, scores=np.full((FRAMES, 25), 0.8)
    )
    folder = write_openpose(tmp_path, {1: person})
    assert tuple(open_poses(folder).keypoint_names) == names


def test_truth_of_other_ids_frames_and_names(tmp_path):
    """PoseTrack18: some frames, other ids and joints than the estimate."""
    names = list(SKELETONS['posetrack18'].keypoint_names)
    labelled = [3, 4, 8]

    def entry(frame, number, person):
        points = np.zeros((len(names), 3))
        for k, name in enumerate(names):
            if name in COCO and person.scores[frame, COCO.index(name)] > 0:
                points[k, :2] = person.keypoints[frame, COCO.index(name)] + 3
                points[k, 2] = 1
        return dict(
            image_id=1000 + frame,
            track_id=number,
            keypoints=points.ravel().tolist(),
        )

    truth = dict(
        images=[
            dict(id=1000 + t, file_name=f'images/val/x/{t:06d}.jpg')
            for t in range(FRAMES)
        ],
        annotations=[
            entry(t, number, person)
            for t in labelled
            for number, person in ((70, SECOND), (71, FIRST))
        ],
        categories=[dict(name='person', keypoints=names)],
    )
    write(tmp_path / 'truth.json', truth)
    frames = [
        dict(
            frame_id=t,
            instances=[
                dict(
                    track_id=number,
                    keypoints=person.keypoints[t].tolist(),
                    keypoint_scores=person.scores[t].tolist(),
                )
                for number, person in ((1, FIRST), (2, SECOND))
            ],
        )
        for t in range(FRAMES)
    ]
    path = write(
        tmp_path / 'in.json',
        dict(
            meta_info=dict(keypoint_id2name=dict(enumerate(COCO))),
            instance_info=frames,
        ),
    )
    refine_file(path, tmp_path / 'out.json', SAME)
    figures = compare_files(
        path, tmp_path / 'out.json', tmp_path / 'truth.json'
    ).figures()
    expected = pytest.approx(3 * np.sqrt(2), abs=0.01)
    assert figures['mean_error'].before == expected
    assert figures['mean_error'].after == expected


def test_ids_of_a_tracker_are_written(tmp_path):
    """Each format can be compared with what it came from afterwards."""
    from format_files import EXAMPLES, write_example
    from test_pose_formats_tracking import OneAfterTheOther

    tracker = OneAfterTheOther()
    for name, field in (
        ('coco', 'track_id'),
        ('ultralytics', 'track_id'),
        ('coco dict', 'track_id'),
        ('alphapose', 'idx'),
        ('openpose', 'person_id'),
    ):
        folder = tmp_path / name
        folder.mkdir()
        path, persons = write_example(name, folder)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        for file in files:
            text = file.read_text().replace(f'"{field}"', '"who"')
            file.write_text(text)
        noses = [x.keypoints[..., 0, 0] for x in persons.values()]
        tracker.border = (np.nanmean(noses[0]) + np.nanmean(noses[1])) / 2
        out = folder / 'out' / path.name
        refine_file(path, out, SMOOTH, tracker=tracker)
        assert EXAMPLES[name].persons == 2
        assert len(open_poses(out).tracks) == 4  # each in two segments
        figures = compare_files(out).figures()
        assert figures['mean_displacement'].after > 0.1
        assert compare_files(path, out, tracker=tracker).about['persons'] == 4
