# Copyright (c) hanet_mm contributors. All rights reserved.
"""Fixtures of the tests of ``hanet-mm refine``."""

import pytest
from refine_data import make_refiner, run


@pytest.fixture
def refiner(tmp_path):
    path = tmp_path / 'refiner.safetensors'
    make_refiner().save(path)
    return path


@pytest.fixture
def assert_fails(tmp_path, capsys, refiner):
    """A call fails with one line on stderr and writes nothing."""

    def check(source, *parts, out=None, refiner=refiner, more=()):
        out = out or tmp_path / f'out{source.suffix}'
        before = {path.name for path in tmp_path.iterdir()}
        assert run(source, out, refiner, *more) == 1
        captured = capsys.readouterr()
        assert captured.out == ''
        assert captured.err.startswith('hanet-mm: error: ')
        assert captured.err.count('\n') == 1
        for part in parts:
            assert part in captured.err
        assert {path.name for path in tmp_path.iterdir()} == before

    return check


@pytest.fixture
def screen(monkeypatch):
    """Stands for a screen on which q is pressed at the fourth picture."""
    cv2 = pytest.importorskip('cv2')
    shown = []
    monkeypatch.setenv('DISPLAY', ':0')
    for name, function in dict(
        getBuildInformation=lambda: 'GUI:  GTK\n',
        namedWindow=lambda *x: None,
        resizeWindow=lambda *x: None,
        destroyWindow=lambda *x: None,
        getWindowProperty=lambda *x: 1.0,
        imshow=lambda _, image: shown.append(image),
        waitKey=lambda _: ord('q') if len(shown) == 4 else -1,
    ).items():
        monkeypatch.setattr(cv2, name, function)
    return shown
