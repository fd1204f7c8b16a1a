# Copyright (c) hanet_mm contributors. All rights reserved.
"""A window that shows pictures one after the other."""

import os
import sys
import time
from typing import Optional

import cv2
import numpy as np

_QUIT = (ord('q'), ord('Q'), 27)  # 27: Escape


class WindowClosed(KeyboardInterrupt):
    """The user wants no more: q was pressed, or the window closed."""


class Window:
    """A window; q, Escape or closing it end it.

    Args:
        title (str): Stands over it.
        fps (float, optional): Pictures are shown at this rate at most.
            Defaults to None: as they come.

    Raises:
        ValueError: If there is no screen, or an OpenCV without windows.
    """

    def __init__(self, title: str, fps: Optional[float] = None) -> None:
        check_screen()
        self.title, self._step = title, 1 / fps if fps else 0.0
        self._next: Optional[float] = None  # time of the next picture

    def show(self, image: np.ndarray) -> None:
        """Show a picture, (H, W, 3) uint8 RGB.

        Raises:
            WindowClosed: If the user ended it.
        """
        now = time.monotonic()
        if self._next is None:
            cv2.namedWindow(self.title, cv2.WINDOW_NORMAL)
            cv2.resizeWindow(self.title, *image.shape[1::-1])
            self._next = now
        cv2.imshow(self.title, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        # Somebody who is late catches up at the next picture.
        self._next = max(self._next + self._step, now)
        key = cv2.waitKey(max(1, int(1000 * (self._next - now))))
        visible = cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE)
        if key & 0xFF in _QUIT or visible < 1:
            raise WindowClosed

    def close(self) -> None:
        """Close the window."""
        if self._next is not None:
            cv2.destroyWindow(self.title)
            cv2.waitKey(1)


def check_screen(instead: str = 'write a video instead') -> None:
    """Raise a ValueError if no window can be opened here.

    Args:
        instead (str): What the message advises.
    """
    information = cv2.getBuildInformation().partition('GUI:')[2]
    if information.split('\n', 1)[0].strip() == 'NONE':
        raise ValueError(
            '--show: this OpenCV has no windows: expected the package '
            'opencv-python, found opencv-python-headless'
        )
    # Qt ends the whole process where it finds none.
    names = ('DISPLAY', 'WAYLAND_DISPLAY')
    if sys.platform == 'linux' and not any(map(os.environ.get, names)):
        raise ValueError(
            '--show: there is no screen to open a window on (DISPLAY is not '
            f'set); {instead}'
        )
