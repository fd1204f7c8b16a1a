# Copyright (c) hanet_mm contributors. All rights reserved.
"""Files of every format, two persons in each."""

import pickle
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from format_files import (
    COCO,
    EXAMPLES,
    FRAMES,
    SIZE,
    make_person,
    write,
    write_example,
)
from test_binary_formats import (
    sleap_tracks,
    standing,
    write_c3d,
    write_sleap,
)
from test_format_programs import write_deeplabcut, write_labels
from test_format_trc import markers, write_trc

from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences

PERSON = make_person(0, FRAMES, 17, 0)


class Kind(NamedTuple):
    """A file or folder of one format, and the options that it needs."""

    path: Path
    options: dict


def write_flat(folder):
    seqs = PoseSequences(
        PERSON.keypoints,
        PERSON.scores,
        np.array([5, 7]),
        np.array(['a', 'b']),
        image_size=np.array([SIZE, SIZE]),
        fps=np.array([30, 25]),
        extras=dict(ids=np.arange(FRAMES)),
    )
    seqs.meta.update(keypoint_names=COCO, units='pixel')
    save_pose_sequences(folder / 'flat.npz', seqs)
    return folder / 'flat.npz'


def write_plain(folder):
    path = folder / 'plain.npz'
    np.savez(
        path,
        keypoints=PERSON.keypoints,
        scores=PERSON.scores,
        fps=25,
        image_size=SIZE,
        keypoint_names=COCO,
    )
    return path


def write_smpl(folder):
    rng = np.random.default_rng(0)
    path = folder / 'smpl.npz'
    np.savez(
        path,
        global_orient=0.1 * rng.normal(size=(FRAMES, 3)),
        body_pose=0.1 * rng.normal(size=(FRAMES, 63)),
        mocap_framerate=60.0,
    )
    return path


def write_videopose(folder):
    path = folder / 'data_2d_custom_x.npz'
    positions = {'clip.mp4': {'custom': [PERSON.keypoints.astype('f4')]}}
    meta = dict(
        layout_name='coco',
        num_joints=17,
        video_metadata={'clip.mp4': dict(w=640, h=480, fps=30)},
    )
    np.savez(path, positions_2d=positions, metadata=meta)
    return path


def write_vibe(folder):
    rng = np.random.default_rng(0)
    poses = 0.1 * rng.normal(size=(FRAMES, 72))
    path = folder / 'vibe.pkl'
    content = {1: dict(pose=poses, frame_ids=np.arange(FRAMES))}
    path.write_bytes(pickle.dumps(content))
    return path


def write_4d_humans(folder):
    eye = np.eye(3)
    smpl = dict(global_orient=eye[None], body_pose=np.stack([eye] * 23))
    path = folder / 'phalp.pkl'
    content = {f'{t:06}.jpg': dict(tid=[1], smpl=[smpl]) for t in range(9)}
    path.write_bytes(pickle.dumps(content))
    return path


def instances():
    return [
        dict(keypoints=points.tolist(), keypoint_scores=scores.tolist())
        for points, scores in zip(PERSON.keypoints, PERSON.scores)
    ]


def write_mmpose(folder):
    frames = [
        dict(frame_id=t, instances=[dict(x, track_id=3)])
        for t, x in enumerate(instances())
    ]
    names = {str(i): name for i, name in enumerate(COCO)}
    meta = dict(keypoint_id2name=names)
    content = dict(meta_info=meta, instance_info=frames)
    return write(folder / 'mmpose.json', content)


def write_mmpose_list(folder):
    frames = [
        dict(frame_id=t, instances=[x]) for t, x in enumerate(instances())
    ]
    return write(folder / 'mmpose_list.json', frames)


def write_mmpose_folder(folder):
    path = folder / 'predictions'
    path.mkdir()
    for t, x in enumerate(instances()):
        write(path / f'img{t}.json', [x])
    return path


def write_mediapipe_lists(folder):
    frames = {
        str(t): [[*point, 0.1, 0.9] for point in (x[0] / SIZE).tolist()]
        for t, x in enumerate(zip(make_person(0, FRAMES, 33, 0).keypoints))
    }
    return write(folder / 'mediapipe_lists.json', frames)


def write_long_csv(folder):
    rows = ['frame,landmark,x,y,visibility']
    rows += [
        f'{t},{name},{x},{y},0.9'
        for t, points in enumerate(PERSON.keypoints)
        for name, (x, y) in zip(COCO, points.tolist())
    ]
    path = folder / 'long.csv'
    path.write_text('\n'.join(rows))
    return path


def write_all(folder):
    """Every kind by its name, one in a folder of its own."""
    people = {'ann': PERSON, 'bob': make_person(0, FRAMES, 17, 1)}
    makers = {
        name: lambda place, name=name: write_example(name, place)[0]
        for name in EXAMPLES
    }
    makers.update(
        flat=write_flat,
        plain=write_plain,
        smpl=write_smpl,
        videopose=write_videopose,
        vibe=write_vibe,
        phalp=write_4d_humans,
        mmpose=write_mmpose,
        mmpose_list=write_mmpose_list,
        mmpose_folder=write_mmpose_folder,
        mediapipe_lists=write_mediapipe_lists,
        long_csv=write_long_csv,
        trc=lambda place: write_trc(place / 'walk.trc', markers()),
        labels=lambda place: write_labels(place / 'labels', {1: PERSON}),
        deeplabcut=lambda place: write_deeplabcut(place / 'dlc.csv', people),
    )
    if find_spec('c3d'):
        makers['c3d'] = lambda place: write_c3d(place / 'a.c3d', standing())
    if find_spec('h5py'):
        makers['sleap'] = lambda place: write_sleap(
            place / 'a.h5', sleap_tracks()
        )
    kinds = {}
    for name, make in makers.items():
        place = folder / name.replace(' ', '_')
        place.mkdir()
        options = {}
        if name == 'labels' or name.startswith('mediapipe'):
            options['image_size'] = SIZE
        if name in ('videopose', 'vibe', 'phalp'):
            options['trust_pickle'] = True
        kinds[name] = Kind(make(place), options)
    return kinds
