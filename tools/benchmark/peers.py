# Copyright (c) hanet_mm contributors. All rights reserved.
"""Plain networks of the size of other refiners, with random weights.

Written from the papers' descriptions, to be timed and for nothing else:
SmoothNet (Zeng et al., ECCV 2022): fully connected layers along time, each
coordinate on its own. DeciWatch (Zeng et al., ECCV 2022): a transformer over
every tenth frame, one that fills in the others.
"""

from typing import Callable, Dict

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, savgol_filter, sosfiltfilt
from torch import Tensor, nn


class SmoothNetLike(nn.Module):
    """Encoder, residual blocks and decoder of width 512 along time."""

    def __init__(self, window: int, width: int = 512, blocks: int = 3):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(window, width), nn.LeakyReLU())
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Linear(width, width // 2),
                nn.LeakyReLU(),
                nn.Linear(width // 2, width),
                nn.LeakyReLU(),
            )
            for _ in range(blocks)
        )
        self.decode = nn.Linear(width, window)

    def forward(self, poses: Tensor) -> Tensor:
        """Windows (B, T, C) to the same."""
        features = self.encode(poses.transpose(1, 2))
        for block in self.blocks:
            features = features + block(features)
        return self.decode(features).transpose(1, 2)


class DeciWatchLike(nn.Module):
    """Transformers of 5 layers: denoise the sampled frames, then recover."""

    def __init__(
        self,
        window: int,
        channels: int,
        width: int = 128,
        layers: int = 5,
        interval: int = 10,
    ):
        super().__init__()
        self.interval = interval
        self.enter = nn.Linear(channels, width)
        self.leave = nn.Linear(width, channels)
        shared = dict(
            d_model=width, nhead=4, dim_feedforward=256, batch_first=True
        )
        self.denoise = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(**shared), layers
        )
        self.recover = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(**shared), layers
        )
        self.place = nn.Parameter(torch.randn(window, width))
        self.fill = nn.Linear(channels, width)
        self.output = nn.Linear(width, channels)

    def forward(self, poses: Tensor) -> Tensor:
        """Windows (B, T, C) to the same."""
        step = self.interval
        tokens = self.enter(poses[:, ::step]) + self.place[::step]
        tokens = self.denoise(tokens)
        clean = poses[:, ::step] + self.leave(tokens)
        between = nn.functional.interpolate(
            clean.transpose(1, 2),
            poses.shape[1],
            mode='linear',
            align_corners=True,
        ).transpose(1, 2)
        queries = self.fill(between) + self.place
        return between + self.output(self.recover(queries, tokens))


class WindowedPeer:
    """Slides a network along a sequence, by one frame, and averages."""

    def __init__(self, network: nn.Module, window: int, batch: int = 512):
        self.network = network.eval()
        self.window = window
        self.batch = batch

    @torch.no_grad()
    def refine(self, keypoints: np.ndarray) -> np.ndarray:
        """Refine (T, K, D), T at least a window."""
        flat = torch.from_numpy(keypoints).flatten(1)
        windows = flat.unfold(0, self.window, 1).transpose(1, 2)
        total, count = torch.zeros_like(flat), torch.zeros(len(flat), 1)
        frames = torch.arange(len(windows))[:, None] + torch.arange(
            self.window
        )
        for part, places in zip(
            windows.split(self.batch), frames.split(self.batch)
        ):
            total.index_add_(
                0, places.flatten(), self.network(part).flatten(0, 1)
            )
            once = torch.ones(places.numel(), 1)
            count.index_add_(0, places.flatten(), once)
        return (total / count).reshape(keypoints.shape).numpy()

    @torch.no_grad()
    def push(self, last: np.ndarray) -> np.ndarray:
        """Refine the last window (T, K, D): what a stream does each frame."""
        flat = torch.from_numpy(last).flatten(1)[None]
        return self.network(flat)[0].reshape(last.shape).numpy()


def make_peers(window: int, channels: int) -> Dict[str, WindowedPeer]:
    """Networks by name, for windows of so many frames of C channels."""
    torch.manual_seed(0)
    networks = {
        'SmoothNet-shaped': SmoothNetLike(window),
        'DeciWatch-shaped': DeciWatchLike(window, channels),
    }
    return {name: WindowedPeer(x, window) for name, x in networks.items()}


def make_filters() -> Dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Filters of scipy by name, with usual settings, for (T, K, D)."""
    lowpass = butter(2, 6.0, fs=30.0, output='sos')
    return {
        'Savitzky-Golay': lambda x: savgol_filter(x, 9, 2, axis=0),
        'Gaussian': lambda x: gaussian_filter1d(x, 2.0, axis=0),
        'Butterworth': lambda x: sosfiltfilt(lowpass, x, axis=0),
    }
