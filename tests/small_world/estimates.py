# Copyright (c) hanet_mm contributors. All rights reserved.
"""Detector and estimator of the small world on a clip, matched to its truth.

Letters: T frames, P people, N boxes, K = 15 keypoints.
"""

from typing import Dict, List, Optional, Tuple

import numpy as np
from mmdet.apis import inference_detector, init_detector
from mmengine.model import BaseModel
from mmpose.apis import inference_topdown, init_model
from mmpose.utils import adapt_mmdet_pipeline
from scipy.optimize import linear_sum_assignment

from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.metrics.errors import accel_error, mpjpe, pck_hits
from hanet_mm.core.poses.boxes import box_iou
from hanet_mm.core.refine.refiner import Refiner
from hanet_mm.datasets.simulation.body import JHMDB_KEYPOINT_NAMES

from . import models
from .render import Clip

SCORE_THRESHOLD = 0.3
"""Of the detector's boxes."""
_IOU_THRESHOLD = 0.5


def load_models() -> Tuple[BaseModel, BaseModel]:
    """Detector and estimator on the CPU."""
    detector = init_detector(
        models.detector_config(), models.DETECTOR_WEIGHTS, device='cpu'
    )
    # Its transforms are found whatever the default scope is.
    detector.cfg = adapt_mmdet_pipeline(detector.cfg)
    estimator = init_model(
        models.estimator_config(), models.ESTIMATOR_WEIGHTS, device='cpu'
    )
    return detector, estimator


def detect(detector: BaseModel, frame: np.ndarray) -> np.ndarray:
    """Boxes with scores, (N, 5): x1 y1 x2 y2 score, best first."""
    found = inference_detector(detector, frame).pred_instances.numpy()
    boxes = np.concatenate([found.bboxes, found.scores[:, None]], axis=1)
    return boxes[np.argsort(-boxes[:, 4])]


def estimate_pose(
    estimator: BaseModel, frame: np.ndarray, boxes: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """Keypoints (N, K, 2) in px and their scores (N, K) for N boxes."""
    if not len(boxes):
        return np.zeros((0, 15, 2)), np.zeros((0, 15))
    found = inference_topdown(estimator, frame, boxes)
    people = [x.pred_instances for x in found]
    return (
        np.concatenate([x.keypoints for x in people]),
        np.concatenate([x.keypoint_scores for x in people]),
    )


def match_boxes(
    truth: np.ndarray, found: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """Pairs of true and found boxes with the most overlap, at least half."""
    overlap = box_iou(truth, found)
    rows, columns = linear_sum_assignment(-overlap)
    good = overlap[rows, columns] > _IOU_THRESHOLD
    return rows[good], columns[good]


def estimate_clip(
    clip: Clip, name: str, detector: Optional[BaseModel], estimator: BaseModel
) -> Optional[PoseSequences]:
    """What an estimator finds in a clip, one sequence for each person.

    Args:
        clip (Clip): The video and its truth.
        name (str): Of the clip.
        detector (BaseModel, optional): None: the true boxes.
        estimator (BaseModel): Of keypoints.

    Returns:
        PoseSequences, optional: NaN where nobody was found; None if no
        person was found in any frame.
    """
    frames, people = clip.keypoints.shape[:2]
    estimates = np.full((people, frames, 15, 2), np.nan, np.float32)
    scores = np.zeros((people, frames, 15), np.float32)
    for t in range(frames):
        truth = boxes = clip.bboxes[t]
        if detector is not None:
            boxes = detect(detector, clip.frames[t])
            boxes = boxes[boxes[:, 4] > SCORE_THRESHOLD, :4]
        person, index = match_boxes(truth, boxes)
        keypoints, score = estimate_pose(
            estimator, clip.frames[t], boxes[index]
        )
        # SimCC gives no place where nothing speaks for one: scores <= 0.
        estimates[person, t], scores[person, t] = keypoints, score.clip(0)
    found = np.flatnonzero(scores.any((1, 2)))
    if not len(found):
        return None
    size = np.array(clip.frames.shape[2:0:-1], np.float32)
    truth = np.moveaxis(clip.keypoints, 1, 0)[found]
    boxes = np.moveaxis(clip.bboxes, 1, 0)[found]
    return PoseSequences(
        keypoints_est=estimates[found].reshape(-1, 15, 2),
        scores=scores[found].reshape(-1, 15),
        seq_len=np.full(len(found), frames),
        seq_name=np.array([name] * len(found)),
        keypoints_gt=truth.reshape(-1, 15, 2),
        visible=np.ones((len(found) * frames, 15), np.float32),
        bboxes=boxes.reshape(-1, 4),
        image_size=np.tile(size, (len(found), 1)),
        fps=np.full(len(found), clip.fps),
        meta=dict(
            dataset='small world',
            estimator='small world',
            units='px',
            keypoint_names=list(JHMDB_KEYPOINT_NAMES),
        ),
    )


def compare(
    sequences: PoseSequences, refiner: Refiner
) -> Dict[str, Dict[str, float]]:
    """Errors of estimates and refined poses where there is an estimate.

    Returns:
        dict: For ``input`` and ``refined`` the mean error in px, the
        acceleration error in px/frame^2, and the PCK at 0.1 and 0.05 in %.
    """
    ends = np.cumsum(sequences.seq_len)[:-1]
    parts: Dict[str, List[np.ndarray]] = {
        name: np.split(getattr(sequences, name), ends)
        for name in ('keypoints_est', 'scores', 'keypoints_gt', 'bboxes')
    }
    refined = refiner.refine(parts['keypoints_est'], parts['scores'])
    poses = dict(
        input=parts['keypoints_est'], refined=[x.keypoints for x in refined]
    )
    valid = np.split(sequences.valid, ends)
    return {
        name: _figures(each, parts['keypoints_gt'], parts['bboxes'], valid)
        for name, each in poses.items()
    }


def _figures(
    poses: List[np.ndarray],
    truth: List[np.ndarray],
    boxes: List[np.ndarray],
    valid: List[np.ndarray],
) -> Dict[str, float]:
    rows = list(zip(poses, truth, valid))
    errors = np.array([mpjpe(*row) for row in rows])
    accelerations = np.array([accel_error(*row) for row in rows])
    figures = dict(
        MPJPE=errors[:, 0].sum() / errors[:, 1].sum(),
        Accel=accelerations[:, 0].sum() / accelerations[:, 1].sum(),
    )
    for share in (0.1, 0.05):
        hits = [
            pck_hits(pose, gt, box, share, seen)
            for (pose, gt, seen), box in zip(rows, boxes)
        ]
        hit, counted = (np.concatenate(x) for x in zip(*hits))
        figures[f'PCK@{share}'] = 100.0 * hit.sum() / counted.sum()
    return figures
