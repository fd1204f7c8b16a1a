"""MMDetection's and MMPose's models as stages of the pipeline.

The models are those that :class:`mmpose.apis.Pose2DInferencer` built. Unlike
it the stages work on many frames at once, and a frame in which nobody is
detected stays empty.
"""

from typing import Any, Iterator, List, Optional, Sequence, Tuple

import numpy as np
import torch
from mmpose.apis import Pose2DInferencer
from mmpose.evaluation.functional import nms

from .poses import Boxes, Poses, boxes_around, no_boxes


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
