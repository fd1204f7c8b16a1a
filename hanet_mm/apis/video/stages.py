# Copyright (c) hanet_mm contributors. All rights reserved.
"""MMDetection's and MMPose's models: found by name, and as pipeline stages.

:class:`mmpose.apis.Pose2DInferencer` finds and builds the models. Unlike it,
the stages work on many frames at once, and a frame in which nobody is
detected stays empty.
"""

import difflib
import os
from contextlib import contextmanager
from itertools import islice
from typing import (
    Any,
    Dict,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy as np
import torch
from mmengine.infer import BaseInferencer
from mmpose.apis import Pose2DInferencer
from mmpose.apis.inferencers.utils import default_det_models
from mmpose.evaluation.functional import nms
from mmpose.registry import DATASETS

from hanet_mm.core.poses.boxes import boxes_around
from hanet_mm.engine.safe_globals import safe_checkpoints

from .estimators.base import ModelError, PoseEstimator, check_device
from .frames import Frame

# Of two boxes with a higher IoU one is left out, as in MMPose's inferencers.
_NMS_THR = 0.3

Ids = Union[int, Tuple[int, ...], List[int], None]


class PoseModels(Pose2DInferencer):
    """Pose estimator and detector, found as MMPose's inferencers find them.

    The arguments are those of
    :class:`hanet_mm.apis.inferencers.PoseRefinementInferencer`.

    Raises:
        ValueError: Which model, what was tried, what went wrong, and how
            local files are passed.
    """

    def __init__(
        self,
        pose2d: str,
        pose2d_weights: Optional[str] = None,
        det_model: Optional[str] = None,
        det_weights: Optional[str] = None,
        det_cat_ids: Ids = None,
        device: Optional[str] = None,
    ) -> None:
        check_device(device)
        with _explain_errors('pose2d', pose2d, pose2d_weights, 'mmpose'):
            super().__init__(
                model=pose2d,
                weights=pose2d_weights,
                device=device,
                det_model=det_model,
                det_weights=det_weights,
                det_cat_ids=0 if det_cat_ids is None else det_cat_ids,
            )

    def _init_detector(
        self,
        det_model: Optional[str] = None,
        det_weights: Optional[str] = None,
        det_cat_ids: Ids = None,
        device: Optional[str] = None,
    ) -> None:
        """Build the detector, the default one also with weights given."""
        if det_model is None and self._default_detector:
            default = self._default_detector
            det_model, det_cat_ids = default['model'], default['cat_ids']
            det_weights = det_weights or default['weights']
        name = det_model or 'whole_image'
        with _explain_errors('det_model', name, det_weights, 'mmdet'):
            super()._init_detector(det_model, det_weights, det_cat_ids, device)

    @property
    def _default_detector(self) -> Optional[Dict[str, Any]]:
        """MMPose's choice for what the estimator was trained on."""
        module = DATASETS.get(self.cfg.dataset_type).__module__
        kind = module.split('datasets.')[-1].split('.')[0].lower()
        return default_det_models.get(kind)


@contextmanager
def _explain_errors(
    option: str, name: str, weights: Optional[str], scope: str
) -> Iterator[None]:
    """Load checkpoints as data; any error of a library is one helpful line."""
    try:
        with safe_checkpoints():
            yield
    except ModelError:
        raise
    except Exception as error:  # registries, files, networks, pickles
        raise ModelError(
            explain(option, name, weights, scope, error)
        ) from error


def explain(
    option: str,
    name: str,
    weights: Optional[str],
    scope: str,
    error: Exception,
) -> str:
    """Name the model and option that failed, the reason and a remedy."""
    flag = '--' + option.replace('_', '-')
    local = (
        f'pass local files with {flag} CONFIG.py and '
        f'{flag.replace("-model", "")}-weights FILE.pth'
    )
    tried = f'{option} {name!r}'
    if not os.path.isfile(name):
        if name.endswith('.py'):
            return f'{tried}: no such config file; {local}'
        found = find_in_index(name, scope)
        if found is None:
            names = [x for model in _index(scope) for x in _names(model)]
            near = difflib.get_close_matches(name, names, 3)
            hint = f', did you mean {" or ".join(near)}?' if near else ''
            return (
                f'{tried}: neither a file nor a model in the index of '
                f'{scope}{hint}; {local}'
            )
        tried += f', which is {found[0]} of {scope}'
        weights = weights or found[1]
    reason = ' '.join(str(error).split()) or 'no reason given'
    return (
        f'{tried} with weights {weights or "none"}: cannot be loaded: '
        f'{type(error).__name__}: {reason}; {local}'
    )


def find_in_index(name: str, scope: str) -> Optional[Tuple[str, str]]:
    """Config and weights of an alias or config name; None: not there."""
    for model in _index(scope):
        if name.lower() in (x.lower() for x in _names(model)):
            weights = model['Weights']
            weights = weights[0] if isinstance(weights, list) else weights
            return model['Config'], weights
    return None


def _index(scope: str) -> Iterator[dict]:
    folder = BaseInferencer._get_repo_or_mim_dir(scope)
    return BaseInferencer._get_models_from_metafile(folder)


def _names(model: dict) -> List[str]:
    aliases: Any = model.get('Alias', [])
    aliases = [aliases] if isinstance(aliases, str) else aliases
    return [model['Name'], *aliases]


class MMDetector:
    """Detects people with a model of MMDetection, in batches of frames."""

    def __init__(
        self, models: Pose2DInferencer, batch_size: int, bbox_thr: float
    ) -> None:
        self.detector, self.cat_ids = models.detector, models.det_cat_ids
        self.batch_size, self.bbox_thr = batch_size, bbox_thr

    def __call__(self, frames: Sequence[Frame]) -> None:
        """Set the boxes of the people in each frame."""
        results = self.detector(
            [frame.image for frame in frames],
            batch_size=self.batch_size,
            return_datasamples=True,
        )['predictions']
        for frame, result in zip(frames, results):
            rows = self._choose(result.pred_instances.cpu().numpy())
            frame.bboxes, frame.bbox_scores = rows[:, :4], rows[:, 4]

    def _choose(self, found: Any) -> np.ndarray:
        """Boxes with scores, (N, 5)."""
        keep = np.isin(found.labels, self.cat_ids)
        keep &= found.scores > self.bbox_thr
        rows = np.concatenate([found.bboxes, found.scores[:, None]], axis=1)
        rows = rows[keep].astype(np.float32)
        return rows[nms(rows, _NMS_THR)] if len(rows) else rows


def whole_image(frames: Sequence[Frame]) -> None:
    """Take each picture for one person (``det_model='whole_image'``)."""
    for frame in frames:
        frame.bboxes = np.array([[0, 0, *frame.size]], np.float32)
        frame.bbox_scores = np.ones(1, np.float32)


class MMPoseEstimator(PoseEstimator):
    """A model of MMPose, with what its data set says of the keypoints."""

    def __init__(self, models: Pose2DInferencer) -> None:
        self.models = models
        meta = models.model.dataset_meta
        self.num_keypoints = int(meta['num_keypoints'])
        names = meta['keypoint_id2name']
        self.keypoint_names = [names[i] for i in range(self.num_keypoints)]
        self.links = list(meta['skeleton_links'])
        self.sigmas = meta.get('sigmas')


class TopDownEstimator(MMPoseEstimator):
    """Estimates the pose in each box with a model of MMPose.

    ``batch_size`` counts people.
    """

    def __init__(self, models: Pose2DInferencer, batch_size: int) -> None:
        super().__init__(models)
        self.batch_size = batch_size

    def __call__(self, frames: Sequence[Frame]) -> None:
        """Set the keypoints of the people in each frame."""
        counts = [len(frame) for frame in frames]
        keypoints = np.zeros((sum(counts), self.num_keypoints, 2), np.float32)
        scores = np.zeros((sum(counts), self.num_keypoints), np.float32)
        samples, row = self._samples(frames), 0
        while batch := list(islice(samples, self.batch_size)):
            for found in _forward(self.models, batch):
                keypoints[row] = found.keypoints[0, ..., :2]
                scores[row] = found.keypoint_scores[0]
                row += 1
        cuts = np.cumsum(counts)[:-1]
        for frame, points, known in zip(
            frames, np.split(keypoints, cuts), np.split(scores, cuts)
        ):
            frame.keypoints, frame.keypoint_scores = points, known

    def _samples(self, frames: Sequence[Frame]) -> Iterator[dict]:
        """Yield the inputs of the model, person by person."""
        for frame in frames:
            for bbox, score in zip(frame.bboxes, frame.bbox_scores):
                yield self.models.pipeline(
                    dict(
                        self.models.model.dataset_meta,
                        img=frame.image,
                        bbox=bbox[None],
                        bbox_score=score[None],
                    )
                )


class BottomUpEstimator(MMPoseEstimator):
    """Finds all poses of a picture with a model that needs no detector.

    Without scores of the model, that of a person is the mean of its
    keypoints' scores.
    """

    def __init__(self, models: Pose2DInferencer, bbox_thr: float) -> None:
        super().__init__(models)
        self.bbox_thr = bbox_thr

    def __call__(self, frames: Sequence[Frame]) -> None:
        """Set the people of each frame; boxes are not looked at."""
        for frame in frames:
            self._estimate(frame)

    def _estimate(self, frame: Frame) -> None:
        # One by one: the pictures of a batch would have to be of one size.
        meta = self.models.model.dataset_meta
        sample = self.models.pipeline(dict(meta, img=frame.image, img_path=''))
        found = _forward(self.models, [sample])[0]
        frame.keypoints = np.asarray(found.keypoints, np.float32)[..., :2]
        scores = np.asarray(found.keypoint_scores, np.float32)
        frame.keypoint_scores = scores
        frame.bboxes = (
            np.asarray(found.bboxes, np.float32)
            if 'bboxes' in found
            else boxes_around(frame.keypoints, scores > 0)
        )
        frame.bbox_scores = (
            np.asarray(found.bbox_scores, np.float32)
            if 'bbox_scores' in found
            else scores.mean(1)
        )
        frame.keep(frame.bbox_scores > self.bbox_thr)


def make_stages(
    models: Pose2DInferencer, batch_size: int, bbox_thr: float
) -> Tuple[Optional[Any], PoseEstimator]:
    """Detector and estimator of the models; None: no detector is needed."""
    if models.cfg.data_mode != 'topdown':
        return None, BottomUpEstimator(models, bbox_thr)
    detector: Any = whole_image
    if models.detector is not None:
        detector = MMDetector(models, batch_size, bbox_thr)
    return detector, TopDownEstimator(models, batch_size)


@torch.no_grad()
def _forward(models: Pose2DInferencer, samples: List[dict]) -> List[Any]:
    """The instances that the model predicts for each sample."""
    results = models.model.test_step(models.collate_fn(samples))
    return [result.pred_instances for result in results]
