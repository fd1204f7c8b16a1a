# Copyright (c) hanet_mm contributors. All rights reserved.
"""Train the detector and the estimator of the small world.

    python tests/small_world/make_weights.py [detector] [estimator]

About 4 and 7 minutes on one CPU thread. The result depends on the seeds
below alone, up to rounding that differs between machines.
"""

import argparse
import sys
from pathlib import Path
from typing import Callable, List, Tuple

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from small_world import models
from small_world.render import Clip, make_clip

from hanet_mm.core.data.files import atomic_path

# Seeds of clips: tests use those below.
FIRST_TRAINING_SEED = 100_000
NUM_CLIPS, FRAMES_PER_CLIP = 360, 8
DETECTOR_STEPS, ESTIMATOR_STEPS = 1000, 1300


def training_clips() -> List[Clip]:
    """Render short clips at five frames per second: little is repeated."""
    return [
        make_clip(
            FIRST_TRAINING_SEED + i,
            FRAMES_PER_CLIP,
            num_people=i % 4 + 1,
            fps=5.0,
            occluders=i % 3 + 1,
        )
        for i in tqdm(range(NUM_CLIPS), desc='clips')
    ]


def train(
    model: BaseModel,
    next_batch: Callable[[], dict],
    steps: int,
    rate: float,
    name: str,
) -> None:
    """Train a registered model with AdamW and a one-cycle schedule.

    Args:
        model (BaseModel): Trained in place.
        next_batch (Callable): Returns what a data loader of MMEngine would.
        steps (int): Number of steps.
        rate (float): Highest learning rate.
        name (str): For the progress bar.
    """
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps, pct_start=0.1
    )
    bar = tqdm(range(steps), desc=name, mininterval=5)
    for _ in bar:
        data = model.data_preprocessor(next_batch(), True)
        loss, values = model.parse_losses(model(**data, mode='loss'))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        schedule.step()
        shown = {key: f'{float(value):.3f}' for key, value in values.items()}
        bar.set_postfix(shown, refresh=False)


def save(model: BaseModel, path: str, meta: dict) -> None:
    """Write a checkpoint of half-precision weights and plain metadata."""
    weights = {
        name: value.half() if value.is_floating_point() else value
        for name, value in model.state_dict().items()
    }
    with atomic_path(path) as temporary:
        torch.save(dict(state_dict=weights, meta=meta), temporary)


def train_detector(clips: List[Clip]) -> None:
    """Train the detector on whole frames."""
    from mmdet.registry import MODELS
    from mmdet.structures import DetDataSample

    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    config = Config.fromfile(models.detector_config())
    init_default_scope('mmdet')
    model = MODELS.build(config.model)
    model.init_weights()

    def sample() -> Tuple[torch.Tensor, DetDataSample]:
        clip = clips[rng.integers(len(clips))]
        t = rng.integers(len(clip.frames))
        image, boxes = _random_view(
            rng, clip.frames[t], clip.bboxes[t], config.image_scale
        )
        truth = InstanceData(
            bboxes=torch.from_numpy(boxes),
            labels=torch.zeros(len(boxes), dtype=torch.long),
        )
        shape = image.shape[:2]
        found = DetDataSample(
            gt_instances=truth, metainfo=dict(img_shape=shape, ori_shape=shape)
        )
        return torch.from_numpy(image).permute(2, 0, 1).contiguous(), found

    def batch() -> dict:
        images, samples = zip(*(sample() for _ in range(16)))
        return dict(inputs=list(images), data_samples=list(samples))

    train(model, batch, DETECTOR_STEPS, 2e-3, 'detector')
    dataset = config.test_dataloader.dataset.metainfo
    meta = dict(dataset_meta=dict(classes=tuple(dataset.classes)))
    save(model, models.DETECTOR_WEIGHTS, meta)


def _random_view(
    rng: np.random.Generator,
    frame: np.ndarray,
    boxes: np.ndarray,
    size: Tuple[int, int],
) -> Tuple[np.ndarray, np.ndarray]:
    """Mirror, scale, shift and change the light; boxes go along."""
    height, width = frame.shape[:2]
    scale = size[0] / width * np.exp(rng.uniform(-0.35, 0.25))
    flip = rng.choice([-1.0, 1.0])
    turn = scale * np.array([[flip, 0.0], [0.0, 1.0]])
    middle = 0.5 * np.array([width, height])
    aim = np.array(size) * (0.5 + rng.uniform(-0.15, 0.15, 2))
    matrix = np.concatenate([turn, (aim - turn @ middle)[:, None]], axis=1)
    image = cv2.warpAffine(frame, matrix, size, borderValue=(114, 114, 114))
    light = rng.uniform(0.75, 1.25, 3) * rng.uniform(0.75, 1.25)
    image = np.clip(image * light, 0, 255).astype(np.uint8)
    corners = boxes.reshape(-1, 2) @ turn.T + matrix[:, 2]
    corners = corners.reshape(-1, 2, 2)
    boxes = np.concatenate([corners.min(1), corners.max(1)], axis=-1)
    clipped = np.clip(boxes, 0, np.tile(size, 2) - 1)
    seen = _area(clipped) > 0.4 * _area(boxes)
    return image, clipped[seen].astype(np.float32)


def _area(boxes: np.ndarray) -> np.ndarray:
    return np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1)


def train_estimator(clips: List[Clip]) -> None:
    """Train the estimator on true boxes, shifted and scaled."""
    from mmpose.datasets.datasets.utils import parse_pose_metainfo
    from mmpose.registry import MODELS

    torch.manual_seed(2)
    np.random.seed(2)  # noqa: NPY002 - the transforms of MMPose use it
    rng = np.random.default_rng(2)
    config = Config.fromfile(models.estimator_config())
    init_default_scope('mmpose')
    model = MODELS.build(config.model)
    model.init_weights()
    meta = parse_pose_metainfo(config.train_dataloader.dataset.metainfo)
    pipeline = Compose(config.train_pipeline)

    def sample() -> dict:
        clip = clips[rng.integers(len(clips))]
        t = rng.integers(len(clip.frames))
        person = rng.integers(clip.keypoints.shape[1])
        return pipeline(
            dict(
                img=clip.frames[t],
                img_shape=clip.frames.shape[1:3],
                bbox=clip.bboxes[t, person][None],
                bbox_score=np.ones(1, np.float32),
                keypoints=clip.keypoints[t, person][None],
                # Hidden keypoints count, too: they have to be guessed.
                keypoints_visible=np.ones((1, 15), np.float32),
                id=0,
                img_id=0,
                **meta,
            )
        )

    def batch() -> dict:
        return pseudo_collate([sample() for _ in range(64)])

    train(model, batch, ESTIMATOR_STEPS, 2e-3, 'estimator')
    save(model, models.ESTIMATOR_WEIGHTS, dict(dataset_name='small world'))


def main() -> None:
    """Train what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = ('detector', 'estimator')
    parser.add_argument('models', nargs='*', help=f'{names}, default: both')
    chosen = parser.parse_args().models or names
    torch.set_num_threads(1)
    clips = training_clips()
    if 'detector' in chosen:
        train_detector(clips)
    if 'estimator' in chosen:
        train_estimator(clips)


if __name__ == '__main__':
    main()
