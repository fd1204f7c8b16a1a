# Copyright (c) hanet_mm contributors. All rights reserved.
"""Results of AlphaPose.

A list like COCO's, with file names for ``image_id`` and ``idx`` where persons
are tracked; or, with ``--format open`` or ``cmu``, a dict with the people of
each image as OpenPose writes them.
"""

from typing import Dict, Sequence

from hanet_mm.core.data.files import PathLike, write_json
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.refiner import RefineResult

from . import coco
from .base import PoseFile, Source
from .openpose import PeopleFrames, has_people

# Keypoint names by the number of keypoints.
ALPHAPOSE_SKELETONS: Dict[int, Sequence[str]] = {
    **coco.COCO_SKELETONS,
    16: SKELETONS['mpii16'].keypoint_names,
    # Halpe's whole body begins with its 26 points of the body.
    136: (
        *SKELETONS['halpe26'].keypoint_names,
        *(f'halpe-{i}' for i in range(26, 136)),
    ),
}


def matches(source: Source) -> bool:
    """Whether JSON looks like results of AlphaPose."""
    if coco.matches(source):
        first = source.content[0]
        return 'idx' in first or isinstance(first['image_id'], str)
    return _is_by_image(source)


def read(source: Source) -> PoseFile:
    """Read a list of results, or the people of each image."""
    if _is_by_image(source):
        return AlphaPosePeople(source, source.content)
    return coco.ResultList(source, 'idx', ALPHAPOSE_SKELETONS)


class AlphaPosePeople(PeopleFrames):
    """One JSON file with the people of all images."""

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        write_json(out, self.refined_frames(refined), self.path)


def _is_by_image(source: Source) -> bool:
    content = source.content
    return isinstance(content, dict) and any(
        has_people(x) for x in [*content.values()][:1]
    )
