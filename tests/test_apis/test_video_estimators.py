# Copyright (c) hanet_mm contributors. All rights reserved.
"""Estimators of other libraries in the video pipeline, by stand-ins.

A stand-in has of its library what the package calls. Each picture says which
frame it is by its first pixel, in blue.
"""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from object_makers import (
    FRAMES,
    SIZE,
    as_landmarks,
    assert_same,
    plain_solutions,
    plain_ultralytics,
    walk,
)

import hanet_mm
from hanet_mm.apis import make_inferencer
from hanet_mm.apis.cli import main
from hanet_mm.apis.video.estimators import registry
from hanet_mm.core.poses.skeleton_data import SKELETONS

cv2 = pytest.importorskip('cv2', reason='OpenCV reads videos')


def pictures():
    for t in range(FRAMES):
        image = np.zeros((*SIZE[::-1], 3), np.uint8)
        image[0, 0, 0] = t
        yield image


class Library:
    """Stand-ins of the three libraries that find given poses."""

    def __init__(self, poses, scores):
        self.poses, self.scores = poses, scores
        self.starts = 0
        self.seen = lambda t: None  # how many people, None: all

    def frame(self, t):
        count = self.seen(t)
        return self.poses[t, :count], self.scores[t, :count]

    @property
    def mediapipe(self):
        def make(smooth_landmarks):
            assert smooth_landmarks is False
            return SimpleNamespace(process=process, reset=self._count)

        def process(image):  # RGB
            return plain_solutions(*self.frame(image[0, 0, 2]), None)

        pose = SimpleNamespace(Pose=make)
        return SimpleNamespace(solutions=SimpleNamespace(pose=pose))

    @property
    def rtmlib(self):
        def make(device):
            assert device == 'cpu'
            return lambda image: self.frame(image[0, 0, 0])

        return SimpleNamespace(Body=make, BodyWithFeet=make, Wholebody=make)

    @property
    def onnxruntime(self):
        return SimpleNamespace(get_available_providers=lambda: ['CPU'])

    @property
    def ultralytics(self):
        def predict(images, conf, verbose, device=None):
            results = []
            for image in images:
                poses, scores = self.frame(image[0, 0, 0])
                result = plain_ultralytics(poses, scores, None)
                low, high = poses.min(1) - 3, poses.max(1) + 3
                boxes = torch.from_numpy(np.concatenate([low, high], 1))
                result.boxes.xyxy = boxes
                result.boxes.conf = torch.full((len(poses),), 0.5)
                results.append(result)
            return results

        model = SimpleNamespace(kpt_shape=[self.poses.shape[2], 3])
        made = SimpleNamespace(task='pose', model=model, predict=predict)
        return SimpleNamespace(YOLO=lambda name: made)

    def _count(self):
        self.starts += 1


@pytest.fixture
def install(monkeypatch):
    def install(library):
        for name in ('mediapipe', 'rtmlib', 'onnxruntime', 'ultralytics'):
            monkeypatch.setitem(sys.modules, name, getattr(library, name))
        return library

    return install


def keypoints_of(results, person=0, name='keypoints'):
    return np.array([x['instances'][person][name] for x in results])


def test_mediapipe_is_refined_as_its_results_are_in_memory(install):
    poses, scores = as_landmarks(*walk())
    scores[5:9, :, 25] = 0.3  # a hidden knee, which is well placed
    install(Library(poses, scores))
    options = dict(refiner='coco17-2d', device='cpu')
    inferencer = make_inferencer('mediapipe', **options)
    found = list(inferencer(pictures(), fps=30))
    results = [plain_solutions(*x, None) for x in zip(poses, scores)]
    refined = hanet_mm.refine(
        results, image_size=SIZE, fps=30, refiner='coco17-2d'
    )
    expected = np.array(
        [
            [(p.x, p.y) for p in x.pose_landmarks.landmark] * np.array(SIZE)
            for x in refined
        ]
    )
    assert_same(keypoints_of(found), expected)
    assert_same(keypoints_of(found, name='keypoints_input'), poses[:, 0])
    assert_same(keypoints_of(found, name='keypoint_scores'), scores[:, 0])


@pytest.mark.parametrize('name', ['rtmlib', 'ultralytics:any.pt'])
def test_several_people_are_tracked_and_refined(install, name):
    poses, scores = walk(2)
    order = np.array([(0, 1), (1, 0)] * (FRAMES // 2))
    rows = np.arange(FRAMES)[:, None]
    install(Library(poses[rows, order], scores[rows, order]))
    options = dict(refiner='coco17-2d', device='cpu')
    inferencer = make_inferencer(name, **options)
    found = list(inferencer(pictures(), fps=30))
    refiner = hanet_mm.load_refiner('coco17-2d')
    for person in range(2):
        # The order of two undoes itself.
        own = [x['instances'][k] for x, k in zip(found, order[:, person])]
        expected = refiner.refine(
            poses[:, person], scores[:, person], fps=30
        ).keypoints
        assert {x['track_id'] for x in own} == {person}
        assert_same(np.array([x['keypoints'] for x in own]), expected)


def test_the_detection_of_ultralytics_gives_boxes_and_scores(install):
    poses, scores = walk()
    install(Library(poses, scores))
    inferencer = make_inferencer('ultralytics:any.pt', device='cpu')
    found = next(iter(inferencer(pictures())))['instances'][0]
    low, high = poses[0, 0].min(0) - 3, poses[0, 0].max(0) + 3
    assert_same(found['bbox'], np.concatenate([low, high]))
    assert found['bbox_score'] == 0.5


@pytest.mark.parametrize(
    ('name', 'skeleton'),
    [
        ('mediapipe', 'mediapipe33'),
        ('rtmlib', 'coco17'),
        ('rtmlib:body_with_feet', 'halpe26'),
        ('rtmlib:wholebody', 'coco_wholebody133'),
        ('ultralytics:any.pt', 'coco17'),
    ],
)
def test_keypoints_have_their_names_and_lines(install, name, skeleton):
    install(Library(*walk()))
    inferencer = make_inferencer(name, device=None, refiner='coco17-2d')
    expected = SKELETONS[skeleton]
    assert inferencer.keypoint_names == list(expected.keypoint_names)
    assert inferencer.links == list(expected.link_indices)


@pytest.mark.parametrize(
    ('name', 'refiner'),
    [
        ('mediapipe', 'body23-2d'),
        ('rtmlib', 'coco17-2d'),
        ('rtmlib:body_with_feet', 'body23-2d'),
        ('ultralytics:any.pt', 'coco17-2d'),
    ],
)
def test_the_default_refiner_suits_the_estimator(install, name, refiner):
    install(Library(*walk()))
    inferencer = make_inferencer(name, device='cpu', refiner='default')
    assert inferencer.default_name == refiner
    expected = hanet_mm.load_refiner(refiner).keypoint_names
    assert inferencer.refiner.keypoint_names == expected


def test_frames_without_people_are_empty(install):
    for name in ('mediapipe', 'rtmlib', 'ultralytics:any.pt'):
        people = walk()
        if name == 'mediapipe':
            people = as_landmarks(*people)
        library = install(Library(*people))
        library.seen = lambda t: t % 2
        inferencer = make_inferencer(name)
        found = [len(x['instances']) for x in inferencer(pictures())]
        assert found == [0, 1] * (FRAMES // 2)


def test_another_video_starts_anew(install):
    library = install(Library(*as_landmarks(*walk())))
    inferencer = make_inferencer('mediapipe')
    for _ in range(2):
        (*_,) = inferencer(pictures())
    assert library.starts == 1  # the first one starts by itself


@pytest.mark.parametrize(
    ('installed', 'expected'),
    [
        ({'mmpose', 'mediapipe'}, 'human'),
        ({'mediapipe', 'rtmlib'}, 'mediapipe'),
    ],
)
def test_the_default_is_what_is_installed(monkeypatch, installed, expected):
    monkeypatch.setattr(
        registry, 'find_spec', lambda name: name in installed or None
    )
    assert registry.default_pose2d() == expected


def test_without_any_estimator_the_extras_are_named(monkeypatch):
    monkeypatch.setattr(registry, 'find_spec', lambda name: None)
    with pytest.raises(ImportError, match=r'hanet_mm\[mediapipe\].*rtmlib'):
        make_inferencer()


@pytest.mark.parametrize(
    ('name', 'missing', 'extra'),
    [
        ('mediapipe', 'mediapipe', 'mediapipe'),
        ('rtmlib', 'rtmlib', 'rtmlib'),
        ('rtmlib', 'onnxruntime', 'rtmlib'),
        ('ultralytics:x.pt', 'ultralytics', 'ultralytics'),
        ('human', 'mmpose', 'mm'),
    ],
)
def test_a_missing_library_names_its_extra(
    install, monkeypatch, name, missing, extra
):
    install(Library(*walk()))
    monkeypatch.setitem(sys.modules, missing, None)
    expected = rf'--pose2d {name} needs {missing}: pip install "hanet_mm\['
    with pytest.raises(ImportError, match=expected + rf'{extra}\]"'):
        make_inferencer(name)


def test_a_mediapipe_without_its_model_is_told(monkeypatch):
    release = SimpleNamespace(__version__='1.2.3')
    monkeypatch.setitem(sys.modules, 'mediapipe', release)
    with pytest.raises(ImportError, match=r'found 1.2.3.*\[mediapipe\]'):
        make_inferencer('mediapipe')


@pytest.mark.parametrize(
    ('name', 'options', 'message'),
    [
        ('mediapipe:heavy', {}, 'takes no model'),
        ('mediapipe', dict(pose2d_weights='a.pth'), 'takes no weights'),
        ('rtmlib', dict(det_model='x.py'), 'not for rtmlib'),
        ('rtmlib', dict(det_interval=5), 'not for rtmlib'),
        ('rtmlib:hand', {}, 'rtmlib:wholebody'),
        ('ultralytics', {}, 'expected ultralytics:MODEL'),
        ('ultralytics:x.pt', dict(det_weights='d.pt'), 'takes no detector'),
    ],
)
def test_options_that_do_not_fit_are_refused(install, name, options, message):
    install(Library(*walk()))
    with pytest.raises(ValueError, match=message):
        make_inferencer(name, **options)


def test_a_model_of_other_keypoints_is_refused(install):
    poses, scores = as_landmarks(*walk())
    install(Library(poses, scores))
    with pytest.raises(ValueError, match='of 17 keypoints, found 33'):
        make_inferencer('ultralytics:any.pt')


def test_a_model_that_cannot_be_loaded_is_one_line(install, monkeypatch):
    def fail(name):
        raise RuntimeError('no\nnetwork')

    install(Library(*walk()))
    package = SimpleNamespace(YOLO=fail)
    monkeypatch.setitem(sys.modules, 'ultralytics', package)
    with pytest.raises(ValueError, match='RuntimeError: no network; pass a'):
        make_inferencer('ultralytics:any.pt')


def test_the_command_with_an_estimator_by_name(
    install, monkeypatch, tmp_path, capsys
):
    install(Library(*as_landmarks(*walk())))
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'shots').mkdir()
    for t, image in enumerate(pictures()):
        cv2.imwrite(f'shots/{t}.png', image)
    monkeypatch.setattr(
        registry, 'find_spec', lambda name: name == 'mediapipe' or None
    )
    words = ['video', 'shots', '-o', 'out.npz']
    assert main([*words, '--fps', '30', '--device', 'cpu']) == 0
    report = capsys.readouterr().out
    assert 'estimator: mediapipe\n' in report
    assert 'refiner: body23-2d\n' in report
    assert 'mediapipe33 -> coco_wholebody_body: 21 mapped' in report
    assert f'out.npz: 1 person in {FRAMES} frames' in report
