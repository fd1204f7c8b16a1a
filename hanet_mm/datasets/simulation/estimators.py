# Copyright (c) hanet_mm contributors. All rights reserved.
"""Simulated estimators: simulated errors, real ones from a bank, or both."""

from typing import Optional, Sequence, Tuple, Union

import numpy as np

from .error_bank import ErrorBank, load_error_bank
from .error_replay import replay_errors
from .noise import simulate_estimator_noise
from .noise_params import USUAL_FPS
from .noise_sources import NoiseSource, noise_source
from .signals import Amount

BankSource = Union[str, dict, ErrorBank, None]
"""A file; arguments of :func:`load_error_bank`; a bank; or none."""


class SimulatedEstimators:
    """Estimates of windows with errors of one of two sources each.

    Args:
        noise (str or dict or NoiseSource or list, optional): Simulated
            errors, see :func:`noise_source`.
        bank (str or dict or ErrorBank, optional): Real errors: a file, or the
            arguments of :func:`load_error_bank`. None: simulated ones only.
        bank_share (float): Share of the windows with errors of the bank.

    Raises:
        ValueError: If a value or the file is wrong.
    """

    def __init__(
        self,
        noise: Union[str, dict, list, NoiseSource, None] = None,
        bank: BankSource = None,
        bank_share: float = 0.5,
    ):
        if not 0 <= bank_share <= 1:
            raise ValueError(
                f'bank_share: expected in [0, 1], found {bank_share}'
            )
        self.noise = noise_source(noise)
        self.bank_share = bank_share
        if isinstance(bank, dict):
            bank = load_error_bank(**bank)
        elif bank is not None and not isinstance(bank, ErrorBank):
            bank = load_error_bank(bank)
        self.bank: Optional[ErrorBank] = bank

    def __call__(
        self,
        rng: np.random.Generator,
        truth: np.ndarray,
        size: np.ndarray,
        keypoint_names: Sequence[str],
        image_size: Optional[np.ndarray] = None,
        fps: Amount = USUAL_FPS,
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Estimate S windows.

        Args:
            rng (np.random.Generator): Source of randomness.
            truth (np.ndarray): (S, T, K, D).
            size (np.ndarray): Size of the person for the simulated errors,
                (S, T); those of a bank measure it themselves.
            keypoint_names (Sequence[str]): K names.
            image_size (np.ndarray, optional): (S, 2), for simulated errors.
            fps (float or np.ndarray): One number or (S,). Defaults to 30.

        Returns:
            Tuple[np.ndarray, np.ndarray]: Estimates (S, T, K, D), NaN =
            missing, and scores (S, T, K), 0 = missing, float32.
        """
        num = len(truth)
        fps = np.broadcast_to(fps, num)
        real = np.zeros(num, bool)
        if self.bank is not None:
            real = rng.random(num) < self.bank_share
        made = ~real
        if made.all():
            amounts = self.noise.draw(rng, num, fps)
            return simulate_estimator_noise(
                truth, size, rng, amounts, keypoint_names, image_size
            )
        estimates = np.empty_like(truth, dtype=np.float32)
        scores = np.empty(truth.shape[:-1], np.float32)
        if made.any():
            estimates[made], scores[made] = simulate_estimator_noise(
                truth[made],
                size[made],
                rng,
                self.noise.draw(rng, int(made.sum()), fps[made]),
                keypoint_names,
                None if image_size is None else image_size[made],
            )
        if self.bank is not None:
            estimates[real], scores[real] = replay_errors(
                truth[real], rng, self.bank, keypoint_names, fps[real]
            )
        return estimates, scores

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(noise={self.noise}, bank={self.bank}, '
            f'bank_share={self.bank_share})'
        )
