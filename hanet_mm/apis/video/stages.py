"""Models of MMPose and MMDetection by alias, config name or path.

:class:`mmpose.apis.Pose2DInferencer` finds and builds them; here is what it
says if it cannot.
"""

import difflib
import os
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from mmengine.infer import BaseInferencer
from mmpose.apis import Pose2DInferencer
from mmpose.apis.inferencers.utils import default_det_models
from mmpose.evaluation.functional import nms
from mmpose.registry import DATASETS

from .frames import Boxes, Poses, boxes_around, no_boxes

Ids = Union[int, Tuple[int, ...], List[int], None]


class PoseModels(Pose2DInferencer):
    """Pose estimator and detector, found as MMPose's inferencers find them.

    Args:
        pose2d (str): Alias (``'human'``), config name or path of a config.
        pose2d_weights (str, optional): File or URL. Defaults to None: those
            that MMPose's model index names for the alias or config name.
        det_model (str, optional): Alias, config name or path of a config;
            ``'whole_image'`` takes each frame for one person. Defaults to
            None: MMPose's default detector for what the estimator was
            trained on.
        det_weights (str, optional): File or URL. Defaults to None: those of
            the model index.
        det_cat_ids (int | Sequence[int], optional): Categories of the
            detector that are persons. Defaults to None: 0 for a detector
            that was named, and MMPose's choice for the default one.
        device (str, optional): Defaults to None: the GPU if there is one.

    Raises:
        ValueError: One line: which model, what was tried, what went wrong,
            and how local files are passed.
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
        with _explained('pose2d', pose2d, pose2d_weights, 'mmpose'):
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
        with _explained('det_model', name, det_weights, 'mmdet'):
            super()._init_detector(det_model, det_weights, det_cat_ids, device)

    @property
    def _default_detector(self) -> Optional[Dict[str, Any]]:
        """MMPose's choice for what the estimator was trained on."""
        module = DATASETS.get(self.cfg.dataset_type).__module__
        kind = module.split('datasets.')[-1].split('.')[0].lower()
        return default_det_models.get(kind)


class ModelError(ValueError):
    """A model could not be found, built or loaded."""


def check_device(device: Optional[str]) -> None:
    """Refuse a device that is not there.

    Raises:
        ValueError: One line with the reason.
    """
    if device is None:
        return
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).split('\n', 1)[0]
        raise ValueError(f'device {device!r}: {reason}') from None


@contextmanager
def _explained(
    option: str, name: str, weights: Optional[str], scope: str
) -> Iterator[None]:
    """Turn whatever a library raises into one line that helps.

    Args:
        option: The argument that named the model.
        name: Of the model.
        weights: That were given.
        scope: Package whose model index is searched.
    """
    try:
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
    """One line: what was tried, why it failed, what to do.

    Args:
        option (str): The argument that named the model.
        name (str): Alias, config name or path.
        weights (str, optional): That were given.
        scope (str): Package whose model index is searched.
        error (Exception): What was raised.
    """
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
            near = difflib.get_close_matches(name, _names(scope), 3)
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
        if name.lower() in (x.lower() for x in _model_names(model)):
            weights = model['Weights']
            weights = weights[0] if isinstance(weights, list) else weights
            return model['Config'], weights
    return None


def _index(scope: str) -> Iterator[dict]:
    folder = BaseInferencer._get_repo_or_mim_dir(scope)
    return BaseInferencer._get_models_from_metafile(folder)


def _model_names(model: dict) -> List[str]:
    aliases: Any = model.get('Alias', [])
    aliases = [aliases] if isinstance(aliases, str) else aliases
    return [model['Name'], *aliases]


def _names(scope: str) -> List[str]:
    return [name for model in _index(scope) for name in _model_names(model)]


class MMDetector:
    """Detects persons with a model of MMDetection.

    Args:
        models (Pose2DInferencer): Has the detector.
        batch_size (int): Frames in a batch.
        bbox_thr (float): Lowest score of a box.
        nms_thr (float): Of two boxes with a higher IoU one is left out.
            Defaults to 0.3, as in MMPose's inferencers.
    """

    def __init__(
        self,
        models: Pose2DInferencer,
        batch_size: int,
        bbox_thr: float,
        nms_thr: float = 0.3,
    ) -> None:
        self.detector = models.detector
        self.cat_ids = models.det_cat_ids
        self.batch_size = batch_size
        self.bbox_thr, self.nms_thr = bbox_thr, nms_thr

    def __call__(self, images: Sequence[np.ndarray]) -> List[Boxes]:
        """Detect the persons in each picture."""
        results = self.detector(
            list(images), batch_size=self.batch_size, return_datasamples=True
        )['predictions']
        return [self._choose(result.pred_instances) for result in results]

    def _choose(self, found: Any) -> Boxes:
        found = found.cpu().numpy()
        keep = np.isin(found.labels, self.cat_ids)
        keep &= found.scores > self.bbox_thr
        rows = np.concatenate([found.bboxes, found.scores[:, None]], axis=1)
        rows = rows[keep].astype(np.float32)
        if not len(rows):
            return no_boxes()
        rows = rows[nms(rows, self.nms_thr)]
        return Boxes(rows[:, :4], rows[:, 4])


def whole_image(images: Sequence[np.ndarray]) -> List[Boxes]:
    """Take each picture for one person (``det_model='whole_image'``)."""
    return [
        Boxes(
            np.array([[0, 0, *image.shape[1::-1]]], np.float32),
            np.ones(1, np.float32),
        )
        for image in images
    ]


class TopDownEstimator:
    """Estimates the pose in each box with a model of MMPose.

    Args:
        models (Pose2DInferencer): Has the model.
        batch_size (int): Persons in a batch.
    """

    def __init__(self, models: Pose2DInferencer, batch_size: int) -> None:
        self.models, self.batch_size = models, batch_size
        meta = models.model.dataset_meta
        self.num_keypoints = int(meta['num_keypoints'])

    def __call__(
        self, images: Sequence[np.ndarray], boxes: Sequence[Boxes]
    ) -> List[Poses]:
        """Estimate the poses in the boxes of each picture."""
        counts = [len(found) for found in boxes]
        total = sum(counts)
        keypoints = np.zeros((total, self.num_keypoints, 2), np.float32)
        scores = np.zeros((total, self.num_keypoints), np.float32)
        row = 0
        for samples in _chunks(self._samples(images, boxes), self.batch_size):
            for found in _forward(self.models, samples):
                keypoints[row] = found.keypoints[0, ..., :2]
                scores[row] = found.keypoint_scores[0]
                row += 1
        cuts = np.cumsum(counts)[:-1]
        return [
            Poses(frame.bboxes, frame.scores, *poses)
            for frame, *poses in zip(
                boxes, np.split(keypoints, cuts), np.split(scores, cuts)
            )
        ]

    def _samples(
        self, images: Sequence[np.ndarray], boxes: Sequence[Boxes]
    ) -> Iterator[dict]:
        """What the model takes, of one person after the other."""
        for image, frame in zip(images, boxes):
            for bbox, score in zip(frame.bboxes, frame.scores):
                yield self.models.pipeline(
                    dict(
                        self.models.model.dataset_meta,
                        img=image,
                        bbox=bbox[None],
                        bbox_score=score[None],
                    )
                )


class BottomUpEstimator:
    """Finds all poses of a picture with a model that needs no detector.

    Args:
        models (Pose2DInferencer): Has the model.
        bbox_thr (float): Lowest score of a person.
    """

    def __init__(self, models: Pose2DInferencer, bbox_thr: float) -> None:
        self.models, self.bbox_thr = models, bbox_thr

    def __call__(
        self, images: Sequence[np.ndarray], boxes: Sequence[Boxes]
    ) -> List[Poses]:
        """Estimate all poses; the boxes are not looked at."""
        del boxes
        return [self._estimate(image) for image in images]

    def _estimate(self, image: np.ndarray) -> Poses:
        # One by one: the pictures of a batch would have to be of one size.
        meta = self.models.model.dataset_meta
        sample = self.models.pipeline(dict(meta, img=image, img_path=''))
        found = _forward(self.models, [sample])[0]
        keypoints = np.asarray(found.keypoints, np.float32)[..., :2]
        scores = np.asarray(found.keypoint_scores, np.float32)
        if 'bboxes' in found:
            bboxes = np.asarray(found.bboxes, np.float32)
        else:
            bboxes = boxes_around(keypoints, scores > 0)
        if 'bbox_scores' in found:
            confidence = np.asarray(found.bbox_scores, np.float32)
        else:
            confidence = scores.mean(1)
        keep = confidence > self.bbox_thr
        return Poses(bboxes, confidence, keypoints, scores).take(keep)


def make_stages(
    models: Pose2DInferencer, batch_size: int, bbox_thr: float
) -> Tuple[Optional[Any], Any]:
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


def _chunks(samples: Iterator[dict], size: int) -> Iterator[List[dict]]:
    chunk: List[dict] = []
    for sample in samples:
        chunk.append(sample)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
