# Copyright (c) hanet_mm contributors. All rights reserved.
"""Files as the published ones of JHMDB."""

import numpy as np

# clip -> frames; of different lengths, so that arrays become object arrays
CLIPS = {'walk/anna': 4, 'run/bert': 3, 'run/carl': 5}


def objects(entries):
    """An object array with one entry a sequence, as published."""
    array = np.empty(len(entries), dtype=object)
    array[:] = entries
    return array


def published(clips, seed=0, flat=True):
    """Arrays of a published pair; a clip has the same truth wherever it is."""
    gt = {'imgname': [], 'joints_2d': [], 'bbox': [], 'imgshape': []}
    det = {'imgname': [], 'joints_2d': []}
    noise = np.random.default_rng(seed)
    for clip, frames in clips:
        rng = np.random.default_rng(sum(map(ord, clip)))
        truth = rng.uniform(20, 200, (frames, 15, 2)).astype(np.float32)
        estimate = truth + noise.normal(size=truth.shape).astype(np.float32)
        shape = (frames, 30) if flat else (frames, 15, 2)
        images = [f'{clip}/{i + 1:05d}.png' for i in range(frames)]
        low, high = truth.min(1) - 5, truth.max(1) + 5
        gt['imgname'].append(images)
        gt['joints_2d'].append(truth.reshape(shape))
        gt['bbox'].append(np.concatenate([low, high], 1).astype(np.int32))
        gt['imgshape'].append(np.array([240, 320, 3]))
        det['imgname'].append(list(images))
        det['joints_2d'].append(estimate.reshape(shape))
    return gt, det


def save(folder, gt, det):
    paths = folder / 'gt.npz', folder / 'det.npz'
    for path, arrays in zip(paths, (gt, det)):
        np.savez(path, **{k: objects(v) for k, v in arrays.items()})
    return paths


def make_pair(tmp_path):
    """A published pair on disk, with its arrays."""
    gt, det = published(CLIPS.items())
    return (*save(tmp_path, gt, det), gt, det)


def make_out(tmp_path):
    """Where to convert to: a folder of its own."""
    return tmp_path / 'converted' / 'out.npz'
