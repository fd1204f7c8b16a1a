# Copyright (c) hanet_mm contributors. All rights reserved.
"""Models of MMPose and MMDetection in the inferencer, without training."""

import numpy as np
import pytest
import torch
from mmpose.apis import Pose2DInferencer, inference_topdown
from mmpose.apis.inferencers.utils import get_model_aliases
from mmpose.evaluation.functional import nms
from mmpose.registry import INFERENCERS
from small_world.models import detector_config, estimator_config

from hanet_mm.apis.inferencers import PoseRefinementInferencer
from hanet_mm.apis.video.frames import Frame
from hanet_mm.apis.video.stages import (
    ModelError,
    PoseModels,
    explain,
    find_in_index,
    make_stages,
)
from hanet_mm.filters import GaussianFilter

pytestmark = pytest.mark.mm

SIZE = (160, 120)


def make(**options):
    options = dict(
        dict(
            pose2d=estimator_config(),
            det_model=detector_config(),
            bbox_thr=0.0,
            device='cpu',
        ),
        **options,
    )
    return PoseRefinementInferencer(**options)


@pytest.fixture(scope='module')
def inferencer():
    """With random weights: what they find is noise, but always the same."""
    torch.manual_seed(0)
    return make()


@pytest.fixture(scope='module')
def frames():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (120, 160, 3), np.uint8) for _ in range(5)]


def test_it_is_registered_in_mmpose():
    name = 'PoseRefinementInferencer'
    assert INFERENCERS.get(name) is PoseRefinementInferencer
    assert issubclass(PoseRefinementInferencer, Pose2DInferencer)


def as_frames(images):
    return [Frame(index, image) for index, image in enumerate(images)]


def test_detections_are_those_of_mmdet_frame_by_frame(inferencer, frames):
    detector, _ = make_stages(inferencer, batch_size=2, bbox_thr=0.05)
    made = as_frames(frames)
    detector(made)
    for image, found in zip(frames, made):
        result = inferencer.detector(image, return_datasamples=True)
        boxes = result['predictions'][0].pred_instances.numpy()
        rows = np.c_[boxes.bboxes, boxes.scores][boxes.scores > 0.05]
        rows = rows[nms(rows, 0.3)]
        assert len(found) == len(rows) > 0
        np.testing.assert_allclose(found.bboxes, rows[:, :4], atol=1e-3)
        np.testing.assert_allclose(found.bbox_scores, rows[:, 4], atol=1e-5)


def test_other_categories_are_no_persons(frames):
    models = PoseModels(
        estimator_config(),
        det_model=detector_config(),
        det_cat_ids=(5,),
        device='cpu',
    )
    detector, _ = make_stages(models, 2, 0.0)
    made = as_frames(frames)
    detector(made)
    assert [len(x) for x in made] == [0] * 5


def test_poses_are_those_of_mmpose_frame_by_frame(inferencer, frames):
    _, estimator = make_stages(inferencer, batch_size=3, bbox_thr=0.0)
    rng = np.random.default_rng(1)
    made = as_frames(frames)
    for frame, count in zip(made, (2, 0, 3, 1, 2)):
        corner = rng.uniform(0, 60, (count, 2))
        rows = np.c_[corner, corner + rng.uniform(20, 60, (count, 2))]
        frame.bboxes = rows.astype(np.float32)
        frame.bbox_scores = np.full(count, 0.5, np.float32)
    boxes = [frame.bboxes for frame in made]
    estimator(made)
    for image, given, found in zip(frames, boxes, made):
        assert found.keypoints.shape == (len(given), 15, 2)
        np.testing.assert_array_equal(found.bboxes, given)
        if not len(given):
            continue
        for row, expected in enumerate(
            inference_topdown(inferencer.model, image, given)
        ):
            expected = expected.pred_instances
            np.testing.assert_allclose(
                found.keypoints[row], expected.keypoints[0], atol=1e-3
            )
            np.testing.assert_allclose(
                found.keypoint_scores[row],
                expected.keypoint_scores[0],
                atol=1e-5,
            )


def test_nobody_in_all_frames(inferencer, frames):
    _, estimator = make_stages(inferencer, 3, 0.0)
    made = as_frames(frames[:2])
    estimator(made)
    assert [x.keypoints.shape for x in made] == [(0, 15, 2)] * 2


def test_a_frame_goes_through_all_stages(inferencer, frames):
    inferencer.reader.detector.bbox_thr = 0.05
    (result,) = inferencer(frames[:1], fps=25)
    assert result['frame_id'] == 0
    assert result['image_size'] == SIZE
    assert result['instances']
    for person in result['instances']:
        assert person['keypoints'].shape == (15, 2)
        assert person['bbox'].shape == (4,)


def test_the_whole_image_is_one_person(frames):
    inferencer = make(det_model='whole_image')
    for result in inferencer(frames):
        (person,) = result['instances']
        assert person['bbox'].tolist() == [0, 0, 160, 120]
        assert person['track_id'] == 0


def test_a_filter_may_stand_for_the_refiner(frames):
    made = make(det_model='whole_image', refiner=GaussianFilter(sigma=2))
    plain = [
        x['instances'][0]['keypoints_input'] for x in made(frames, fps=25)
    ]
    smooth = [x['instances'][0]['keypoints'] for x in made(frames, fps=25)]
    expected = GaussianFilter(sigma=2).refine(np.stack(plain)).keypoints
    np.testing.assert_allclose(np.stack(smooth), expected, atol=1e-4)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(det_interval=0), 'det_interval: expected at least 1'),
        (dict(batch_size=0), 'batch_size: expected at least 1'),
        (dict(max_gap=-1), 'max_gap: expected'),
        (dict(refiner='gone.safetensors'), 'gone.safetensors'),
        (dict(device='nonsense'), "device 'nonsense': "),
    ],
)
def test_mistakes_are_told_before_models_load(options, message):
    with pytest.raises((ValueError, OSError), match=message):
        make(pose2d='no such model', **options)


@pytest.mark.parametrize('alias', ['human', 'vitpose-s', 'body26', 'hand'])
def test_aliases_are_those_of_mmpose(alias):
    config, weights = find_in_index(alias, 'mmpose')
    assert get_model_aliases('mmpose')[alias] in config
    assert weights.startswith('https://')
    assert weights.endswith('.pth')
    assert find_in_index(alias.upper(), 'mmpose') == (config, weights)


def test_detectors_are_found_in_the_index_of_mmdet():
    config, weights = find_in_index('rtmdet_m_8xb32-300e_coco', 'mmdet')
    assert config.endswith('rtmdet_m_8xb32-300e_coco.py')
    assert 'rtmdet_m' in weights
    assert find_in_index('no such model', 'mmdet') is None


@pytest.fixture
def offline(monkeypatch):
    """No file can be fetched."""
    from mmengine.runner import checkpoint

    asked = []

    def load(url, *args, **kwargs):
        asked.append(url)
        raise OSError('no route to host')

    loader = checkpoint.CheckpointLoader
    monkeypatch.setattr(loader, 'load_checkpoint', staticmethod(load))
    return asked


def test_weights_that_cannot_be_fetched(offline):
    with pytest.raises(ModelError) as caught:
        make(pose2d='human', det_model='whole_image')
    message = str(caught.value)
    config, weights = find_in_index('human', 'mmpose')
    assert offline == [weights]
    for part in (
        "pose2d 'human'",
        config,
        weights,
        'no route to host',
        '--pose2d CONFIG.py and --pose2d-weights FILE',
    ):
        assert part in message
    assert '\n' not in message


def test_weights_of_the_detector_that_cannot_be_fetched(offline):
    with pytest.raises(ModelError) as caught:
        make(det_model='rtmdet_tiny_8xb32-300e_coco')
    message = str(caught.value)
    assert offline == [
        find_in_index('rtmdet_tiny_8xb32-300e_coco', 'mmdet')[1]
    ]
    assert message.startswith("det_model 'rtmdet_tiny_8xb32-300e_coco'")
    assert '--det-model CONFIG.py and --det-weights FILE' in message


def test_the_default_detector_is_that_of_mmpose(offline):
    from mmpose.apis.inferencers.utils import default_det_models

    with pytest.raises(ModelError, match='rtmdet_m_640-8xb32_coco-person'):
        make(det_model=None)
    assert offline == [default_det_models['human']['weights']]
    # Its weights may be a local file.
    with pytest.raises(ModelError, match=r'mine.pth'):
        make(det_model=None, det_weights='mine.pth')
    assert offline[1:] == ['mine.pth']


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('humna', "pose2d 'humna': neither a file nor a model .* mean human"),
        ('gone.py', "pose2d 'gone.py': no such config file"),
        ('qqqqqqqqqqqq', 'in the index of mmpose; pass local files'),
    ],
)
def test_unknown_models_are_named(name, message):
    with pytest.raises(ModelError, match=message):
        make(pose2d=name)


def test_a_broken_config_is_named(tmp_path):
    path = tmp_path / 'model.py'
    path.write_text('model = dict(type="NoSuchModel")')
    with pytest.raises(ModelError, match=r'model.py.*NoSuchModel'):
        make(pose2d=str(path))


def test_messages_are_one_line():
    text = explain('det_model', 'x.py', None, 'mmdet', OSError('a\nb'))
    assert '\n' not in text
