# Copyright (c) hanet_mm contributors. All rights reserved.
"""Names of the outputs of a video: never those of inputs."""

from pathlib import Path

import pytest

from hanet_mm.apis.video.job import plan_jobs

pytestmark = pytest.mark.mm


@pytest.mark.parametrize('name', ['clip.mp4', 'clip.partial.mp4'])
def test_a_drawn_video_is_not_the_input(tmp_path, name):
    source = tmp_path / name
    source.write_bytes(b'film')
    ((_, request),), _ = plan_jobs(
        str(source), str(tmp_path / 'clip.json'), 'json', True, False
    )
    assert [x.name for x in request.files] == [
        'clip.json',
        'clip_refined.mp4',
    ]


def test_nor_that_of_another_video_of_the_folder(tmp_path):
    for name in ('a.avi', 'a.mp4', 'b.mp4'):
        (tmp_path / name).write_bytes(b'film')
    jobs, several = plan_jobs(
        str(tmp_path), str(tmp_path), 'json', True, False
    )
    assert several
    outputs = [path for _, request in jobs for path in request.files]
    assert len(set(outputs)) == 6
    assert not any(Path(x).exists() for x in outputs)
