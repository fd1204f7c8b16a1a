# Copyright (c) hanet_mm contributors. All rights reserved.
"""The real MediaPipe, rtmlib and Ultralytics, where they are installed.

MediaPipe has its model with it, and finds the rendered people of the small
world. The other two would download theirs: they run networks that the tests
make.
"""

import json

import numpy as np
import pytest
import torch
from small_world.render import make_clip, write_clip

from hanet_mm.apis import make_inferencer
from hanet_mm.apis.cli import main
from hanet_mm.apis.video.frames import Frame
from hanet_mm.core.poses.boxes import box_sizes
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.datasets.simulation.body import JHMDB_KEYPOINT_NAMES

LIMBS = [
    f'{side}_{joint}'
    for side in ('left', 'right')
    for joint in ('shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle')
]
# Of the small world. One that MediaPipe finds in every frame.
SEED, FRAMES = 2, 30


@pytest.fixture(scope='module')
def solutions():
    package = pytest.importorskip('mediapipe', reason='needs MediaPipe')
    if not hasattr(package, 'solutions'):
        pytest.skip('needs a MediaPipe with its model, below 0.10.30')
    return package.solutions


@pytest.fixture(scope='module')
def clip():
    return make_clip(
        SEED, FRAMES, num_people=1, image_size=(480, 360), occluders=0
    )


def errors(clip, keypoints, names):
    """Distance of the limbs from the truth over the box, (T, 12)."""
    mine = [names.index(x) for x in LIMBS]
    true = [list(JHMDB_KEYPOINT_NAMES).index(x) for x in LIMBS]
    away = keypoints[:, mine] - clip.keypoints[:, 0, true]
    return np.linalg.norm(away, axis=-1) / box_sizes(clip.bboxes[:, :1])


def test_mediapipe_finds_a_rendered_person(solutions, clip):
    inferencer = make_inferencer('mediapipe', refiner='coco17-2d')
    found = list(inferencer(iter(clip.frames), fps=clip.fps))
    people = [x['instances'] for x in found]
    assert [len(x) for x in people] == [1] * FRAMES
    assert {x[0]['track_id'] for x in people} == {0}
    names = list(SKELETONS['mediapipe33'].keypoint_names)
    for name in ('keypoints_input', 'keypoints'):
        keypoints = np.array([x[0][name] for x in people])
        # A limb is as thick as a twentieth of the box.
        assert np.median(errors(clip, keypoints, names)) < 0.05


def test_mediapipe_gives_what_its_own_package_gives(solutions, clip):
    images = clip.frames[:4]
    with solutions.pose.Pose(smooth_landmarks=False) as pose:
        results = [
            pose.process(np.ascontiguousarray(x[..., ::-1])) for x in images
        ]
    inferencer = make_inferencer('mediapipe')
    for _ in range(2):  # the second video does not know the first
        found = list(inferencer(iter(images)))
        for frame, result in zip(found, results):
            expected = [
                (x.x * 480, x.y * 360) for x in result.pose_landmarks.landmark
            ]
            (person,) = frame['instances']
            keypoints = person['keypoints_input']
            np.testing.assert_allclose(keypoints, expected, atol=1e-2)


def test_a_drawn_video_in_one_command(
    solutions, clip, tmp_path, monkeypatch, capfd
):
    cv2 = pytest.importorskip('cv2')
    monkeypatch.chdir(tmp_path)
    write_clip(clip, 'clip.mp4')
    assert main(['video', 'clip.mp4', '--pose2d', 'mediapipe']) == 0
    told, noise = capfd.readouterr()
    assert f'1 person in {FRAMES} frames' in told
    assert noise == ''  # of MediaPipe's logs
    content = json.loads((tmp_path / 'clip.json').read_text())
    assert len(content) == FRAMES
    keypoints = [x['instances'][0]['keypoints'] for x in content]
    names = list(SKELETONS['mediapipe33'].keypoint_names)
    assert np.median(errors(clip, np.array(keypoints), names)) < 0.05
    capture = cv2.VideoCapture('clip_refined.mp4')
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == FRAMES
    # Before and after, side by side.
    assert capture.get(cv2.CAP_PROP_FRAME_WIDTH) > 2 * 480 - 1


def test_nobody_is_found_in_noise(solutions):
    noise = np.random.default_rng(0).integers(0, 60, (3, 240, 320, 3))
    frames = iter(noise.astype(np.uint8))
    inferencer = make_inferencer('mediapipe', refiner='coco17-2d')
    assert [len(x['instances']) for x in inferencer(frames)] == [0] * 3


def constant_network(path, name, size, outputs):
    """Write an ONNX network that answers the same to every picture."""
    onnx = pytest.importorskip('onnx', reason='writes the network')
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    kind = onnx.TensorProto.FLOAT
    width, height = size
    shape = [1, 3, height, width]
    nodes = [
        helper.make_node('Identity', [f'{key}_is'], [key]) for key in outputs
    ]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info('input', kind, shape)],
        [
            helper.make_tensor_value_info(key, kind, x.shape)
            for key, x in outputs.items()
        ],
        [
            numpy_helper.from_array(x, f'{key}_is')
            for key, x in outputs.items()
        ],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8
    )
    onnx.save(model, str(path))
    return str(path)


def test_rtmlib_with_local_networks(tmp_path):
    """Two people whose poses are one point each, in the middle of a box."""
    pytest.importorskip('rtmlib', reason='needs rtmlib')
    pytest.importorskip('onnxruntime', reason='needs ONNX Runtime')
    boxes = np.array([[[40, 40, 120, 240, 0.9], [300, 40, 380, 240, 0.9]]])
    detector = constant_network(
        tmp_path / 'detector.onnx',
        'detector',
        (416, 416),
        dict(boxes=boxes.astype(np.float32)),
    )
    size = 192, 256
    peaks = [np.zeros((1, 17, 2 * x), np.float32) for x in size]
    for peak, length in zip(peaks, size):
        peak[..., length] = 0.8  # the middle, at half pixels
    pose = constant_network(
        tmp_path / 'pose.onnx', 'pose', size, dict(x=peaks[0], y=peaks[1])
    )
    inferencer = make_inferencer(
        'rtmlib', pose2d_weights=pose, det_weights=detector, device='cpu'
    )
    frames = [np.zeros((416, 416, 3), np.uint8)] * 3
    for frame in inferencer(frames):
        assert [x['track_id'] for x in frame['instances']] == [0, 1]
        for person, middle in zip(frame['instances'], (80, 340)):
            keypoints = person['keypoints_input']
            expected = np.tile([middle, 140], (17, 1))
            np.testing.assert_allclose(keypoints, expected, atol=0.6)
            np.testing.assert_allclose(person['keypoint_scores'], 0.8)


def test_ultralytics_gives_what_its_own_package_gives(tmp_path, clip):
    package = pytest.importorskip('ultralytics', reason='needs Ultralytics')
    torch.manual_seed(0)
    path = tmp_path / 'random-pose.pt'
    package.YOLO('yolov8n-pose.yaml').save(path)
    model, images = package.YOLO(path), list(clip.frames[:3])
    given = model.predict(images, conf=1e-5, verbose=False, device='cpu')
    inferencer = make_inferencer(
        f'ultralytics:{path}', bbox_thr=1e-5, device='cpu'
    )
    assert sum(len(x.boxes) for x in given) > 3
    found = list(map(Frame, range(3), images))
    inferencer.estimator(found)
    for frame, result in zip(found, given):
        expected = result.keypoints.xy.numpy()
        there = (expected != 0).any(-1)
        np.testing.assert_allclose(
            frame.keypoints[there], expected[there], atol=1e-3
        )
        np.testing.assert_allclose(frame.bboxes, result.boxes.xyxy, atol=1e-3)
        np.testing.assert_allclose(
            frame.bbox_scores, result.boxes.conf, atol=1e-6
        )
