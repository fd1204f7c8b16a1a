# Copyright (c) hanet_mm contributors. All rights reserved.
"""Files of a small scene of PoseTrack."""

from posetrack import convert_posetrack
from posetrack_scenes import (
    Script,
    write,
)

from hanet_mm.core.data.sequences import load_pose_sequences

VIDEO = '012834_mpii_test'


def make_script():
    """Two frames, the first labelled, one person, found in both."""
    script = Script(VIDEO, 2, (0,), {4: {0: (200, 200), 1: (203, 200)}})
    script.follow(script.people[4], (1, 0))
    return script


def convert(tmp_path, annotation, found, **options):
    """Write both and convert them."""
    found = write(tmp_path / 'found.json', found)
    if not hasattr(annotation, 'parts'):
        annotation = write(tmp_path / 'annotation.json', annotation)
    out = tmp_path / 'out' / 'out.npz'
    options = {'dataset': 'posetrack18', 'image_size': (64, 48), **options}
    convert_posetrack(annotation, found, out, **options)
    return load_pose_sequences(out, allow_empty=True)
