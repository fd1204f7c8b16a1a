# Copyright (c) hanet_mm contributors. All rights reserved.
"""2D detections of VideoPose3D, ``data_2d_custom_NAME.npz``.

``positions_2d`` holds, for each video and action, a list of keypoints
(T, K, 2) in pixels, and ``metadata`` the symmetry and the size of the videos.
Both are pickled, so the file is read only if you trust it.
"""

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, write_npz
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.refiner import RefineResult

from .base import PersonTrack, PoseFile, Source

_KEY, _META = 'positions_2d', 'metadata'
_LAYOUTS = {'coco': 'coco17', 'h36m': 'h36m17'}


def matches(source: Source) -> bool:
    """Whether an archive has the detections."""
    return source.kind == '.npz' and _KEY in source.content


class VideoPose3DDetections(PoseFile):
    """Detections of videos, each a sequence. Refined keypoints replace
    ``positions_2d``; the metadata stays.
    """

    keeps_input = False

    def __init__(self, source: Source):
        self.path = path = source.path
        if not source.trust_pickle:
            raise ValueError(
                f'{path}: {_KEY} is pickled, which can run any code: expected '
                '--trust-pickle if you trust the file'
            )
        with np.load(path, allow_pickle=True) as archive:
            self.arrays = dict(archive)
        self.content = self._dict(_KEY)
        meta = self._dict(_META) if _META in self.arrays else {}
        self.keys: List[Tuple[str, str, int]] = []
        self.tracks = []
        for video, actions in self.content.items():
            size, fps = _about(meta, video)
            if not isinstance(actions, dict):
                raise ValueError(
                    f'{path}: {_KEY}: {video!r:.60}: expected a dict of '
                    f'actions, found {type(actions).__name__}'
                )
            for action, cameras in actions.items():
                for camera, points in enumerate(cameras):
                    self.keys.append((video, action, camera))
                    self.tracks.append(
                        PersonTrack(
                            f'{video} {action} {camera}',
                            np.asarray(points)[..., :2],
                            image_size=source.image_size or size,
                            fps=fps,
                        )
                    )
        layout = _LAYOUTS.get(str(meta.get('layout_name')))
        if layout and len(SKELETONS[layout]) == meta.get('num_joints'):
            self.keypoint_names = list(SKELETONS[layout].keypoint_names)

    def _dict(self, key: str) -> Dict[Any, Any]:
        value = self.arrays[key]
        content = value.item() if value.size == 1 else None
        if not isinstance(content, dict):
            raise ValueError(
                f'{self.path}: {key}: expected a dict, found '
                f'{value.dtype} {value.shape}'
            )
        return content

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        content: Dict[str, Dict[str, List[Any]]] = {
            video: {action: list(x) for action, x in actions.items()}
            for video, actions in self.content.items()
        }
        for (video, action, camera), result in zip(self.keys, refined):
            points = np.array(content[video][action][camera])
            points[..., :2] = result.keypoints
            content[video][action][camera] = points
        arrays = dict(self.arrays)
        arrays[_KEY] = np.array(content, dtype=object)
        write_npz(out, arrays, compressed=True)


read = VideoPose3DDetections


def _about(
    meta: Dict[str, Any], video: str
) -> Tuple[Optional[Tuple[float, float]], Optional[float]]:
    """W, H and frames per second of a video; None: unknown."""
    videos = meta.get('video_metadata')
    about = videos.get(video) if isinstance(videos, dict) else None
    if not isinstance(about, dict):
        return None, None
    size = (about['w'], about['h']) if {'w', 'h'} <= {*about} else None
    return size, about.get('fps')
