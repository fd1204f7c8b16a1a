# Copyright (c) hanet_mm contributors. All rights reserved.
"""The page to look at poses: what is in it, and what a browser makes of it."""

import base64
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

from hanet_mm.visualization.recording import Recording, ShownPerson
from hanet_mm.visualization.viewer import viewer_page, write_viewer

NAMES = ['nose', 'left_wrist', 'right_wrist']
BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
GAP, SWAP = slice(20, 30), slice(40, 50)


class Page(HTMLParser):
    """The elements of a page, and the text of each script."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self._script = [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == 'script':
            self._script = dict(attrs).get('id', '')

    def handle_endtag(self, tag):
        if tag == 'script':
            self._script = None

    def handle_data(self, data):
        if self._script is not None:
            self.scripts[self._script] = data


def content_of(text):
    return json.loads(Page(text).scripts['content'])


def unpack(packed, keypoints, dims):
    data = base64.b64decode(packed['data'])
    if packed['type'] == 'float32':
        values = np.frombuffer(data, '<f4').astype(float)
        return values.reshape(-1, keypoints, dims)
    numbers = np.frombuffer(data, '<i2').reshape(-1, keypoints, dims)
    values = np.array(packed['middle']) + packed['step'] * numbers
    return np.where(numbers == -(2**15), np.nan, values)


def make_person(frames=60, dims=2, name='track_id 3', first=5):
    rng = np.random.default_rng(0)
    shape = rng.uniform(0, 200, (1, len(NAMES), dims))
    poses = shape + rng.normal(0, 3, (frames, 1, dims)).cumsum(0)
    before = poses + rng.normal(0, 2, poses.shape)
    before[GAP, 1] = np.nan
    before[SWAP, 1:] = before[SWAP, :0:-1]
    swapped = np.zeros(poses.shape[:2], bool)
    swapped[SWAP, 1:] = True
    outliers = np.zeros_like(swapped)
    outliers[55, 0] = True
    return ShownPerson(name, first, poses, before, swapped, outliers)


def make_recording(*people, **more):
    people = list(people) or [make_person()]
    return Recording('poses.json', people, NAMES, [(0, 1), (0, 2)], **more)


def test_coordinates_go_round_to_a_part_of_a_pixel():
    person = make_person()
    content = content_of(viewer_page(make_recording(person, fps=25.0)))
    (packed,) = content['people']
    for key, expected in (('poses', person.poses), ('before', person.before)):
        found = unpack(packed[key], 3, 2)
        np.testing.assert_allclose(found, expected, atol=0.01)
    assert (packed['first_frame'], packed['num_frames']) == (5, 60)
    assert (content['fps'], content['dims']) == (25.0, 2)
    assert content['keypoint_names'] == NAMES


def test_marks_are_the_gaps_swaps_and_outliers():
    (packed,) = content_of(viewer_page(make_recording()))['people']
    marks = np.frombuffer(base64.b64decode(packed['marks']), np.uint8)
    marks = marks.reshape(60, 3)
    assert set(zip(*np.nonzero(marks & 1))) == {(t, 1) for t in range(20, 30)}
    swapped = {(t, k) for t in range(40, 50) for k in (1, 2)}
    assert set(zip(*np.nonzero(marks & 2))) == swapped
    assert set(zip(*np.nonzero(marks & 4))) == {(55, 0)}


def test_steps_too_coarse_for_a_person_become_floats():
    """Somebody of 2 px who crosses 100 000 px."""
    person = make_person()
    person.poses = person.poses / 100
    person.poses[:, :, 0] += np.linspace(0, 1e5, 60)[:, None]
    content = content_of(viewer_page(make_recording(person)))
    packed = content['people'][0]['poses']
    assert packed['type'] == 'float32'
    expected = person.poses.astype(np.float32)
    np.testing.assert_array_equal(unpack(packed, 3, 2), expected)


def test_three_dimensions_and_people_without_keypoints():
    lost = make_person(dims=3, name='lost')
    lost.poses = np.full_like(lost.poses, np.nan)
    seen = make_person(dims=3)
    content = content_of(viewer_page(make_recording(seen, lost)))
    found = unpack(content['people'][0]['poses'], 3, 3)
    np.testing.assert_allclose(found, seen.poses, atol=0.01)
    assert content['people'][1]['poses'] is None


def test_the_page_needs_nothing_else_and_names_stay_text():
    name = '</script><script src="https://a.b/c.js"></script>'
    text = viewer_page(make_recording(make_person(name=name)))
    assert content_of(text)['people'][0]['name'] == name
    page = Page(text)
    links = [x for _, x in page.elements if {'src', 'href'} & {*x}]
    assert links == []
    assert not re.search(r'\b(fetch|XMLHttpRequest|import)\b\s*\(', text)
    policies = [x.get('content', '') for _, x in page.elements]
    assert any(x.startswith("default-src 'none'") for x in policies)


def test_ten_thousand_frames_stay_small():
    """17 keypoints, before and after: 4 * 2 bytes and a mark, as base64."""
    rng = np.random.default_rng(0)
    poses = rng.uniform(0, 1000, (10_000, 17, 2))
    names = [f'k{i}' for i in range(17)]
    person = ShownPerson('a', 0, poses, poses + 1)
    page = viewer_page(Recording('long', [person], names))
    assert len(page) < 10_000 * 17 * 9 * 4 / 3 + 100_000


def test_only_html_is_written(tmp_path):
    with pytest.raises(ValueError, match=r'page\.txt: .* ending in \.html'):
        write_viewer(tmp_path / 'page.txt', make_recording())
    write_viewer(tmp_path / 'page.html', make_recording())
    assert content_of((tmp_path / 'page.html').read_text())['people']


@pytest.fixture(scope='module')
def browse(tmp_path_factory):
    """The page as a browser has it after its scripts ran."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f'needs a browser, none found of {", ".join(BROWSERS)}')
    folder = tmp_path_factory.mktemp('browser')

    def run(recording, place):
        write_viewer(folder / 'page.html', recording)
        options = ['--headless', '--no-sandbox', '--disable-gpu']
        options += [f'--user-data-dir={folder / "profile"}']
        options += ['--virtual-time-budget=3000', '--dump-dom']
        done = subprocess.run(
            [browser, *options, f'file://{folder}/page.html#{place}'],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            pytest.skip(f'{browser} does not run: {done.stderr[-300:]}')
        return done.stdout

    return run


def inner_text(text, ident):
    found = re.search(rf'id="{ident}"[^>]*>(.*?)</(?:p|output)>', text, re.S)
    return re.sub('<[^>]*>', '', found.group(1))


@pytest.mark.slow
def test_a_browser_shows_the_numbers_of_the_frame(browse):
    person = make_person()
    recording = make_recording(person, fps=25.0, unit='px')
    text = browse(recording, 'frame=48&joint=left_wrist')
    assert 'data-ready="yes"' in text
    readout = inner_text(text, 'readout')
    numbers = [float(x) for x in re.findall(r'-?\d+\.\d+', readout)]
    t = 48 - person.first_frame
    expected = [*person.before[t, 1], *person.poses[t, 1]]
    moved = np.linalg.norm(person.poses[t, 1] - person.before[t, 1])
    np.testing.assert_allclose(numbers, [*expected, moved], atol=0.06)
    assert readout.endswith('swapped')
    assert inner_text(text, 'time') == 'frame 48 of 5\u201364, 1.92 s'
    assert 'swapped: left_wrist, right_wrist' in inner_text(text, 'events')
    assert '10 filled · 20 swapped · 1 outliers' in inner_text(text, 'about')


@pytest.mark.slow
def test_a_browser_plays_to_the_end_and_shows_gaps(browse):
    """2.4 s of 25 frames pass within the time that the browser is given."""
    first, second = make_person(), make_person(name='b', first=0)
    second.before = None
    recording = make_recording(first, second, fps=25.0)
    text = browse(recording, 'frame=30&play=1')
    assert inner_text(text, 'time').startswith('frame 64 of 0\u201364')
    text = browse(recording, 'frame=27&joint=1&person=0')
    readout = inner_text(text, 'readout')
    assert 'before \u2013, \u2013' in readout
    assert readout.endswith('filled')


@pytest.mark.slow
def test_a_browser_shows_three_dimensions(browse):
    person = make_person(dims=3)
    person.before = None
    text = browse(make_recording(person, unit='m'), 'frame=5&joint=0')
    expected = ', '.join(f'{x:.1f}' for x in person.poses[0, 0])
    readout = inner_text(text, 'readout')
    found = [float(x) for x in re.findall(r'-?\d+\.\d+', readout)]
    np.testing.assert_allclose(found, person.poses[0, 0], atol=0.06)
    assert 'data-ready="yes"' in text, expected
