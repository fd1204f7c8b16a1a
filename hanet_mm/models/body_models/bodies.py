# Copyright (c) hanet_mm contributors. All rights reserved.
"""Body models: SMPL from the user's file, and the bones of a mean adult."""

from typing import Optional

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from hanet_mm.core.data.extras import import_extra
from hanet_mm.core.data.files import PathLike
from hanet_mm.core.poses.body import (
    LSP14_FROM_SMPL24,
    NUM_BETAS,
    SMPL_PARENTS,
    BodyModelOutput,
    check_body_inputs,
    forward_kinematics,
    mean_adult_offsets,
)

from .smpl_file import load_smpl_file

# Skinning takes about 1.5 MB for each frame of SMPL's 6890 vertices.
_CHUNK_FRAMES = 64


@MODELS.register_module()
class SMPLBodyModel(nn.Module):
    """SMPL (Loper et al., 2015) through the ``smplx`` package.

    Of the 24 joints of SMPL those 14 are given that lsp14 names. Neck and
    head are SMPL's own joints 12 and 15: they are not regressed from the
    surface, as data sets with a head top do, which the head joint is below.

    The model is frozen. Its arrays are no part of a state dict, so that no
    checkpoint of a refiner carries them: the licence of SMPL forbids to pass
    them on.

    Args:
        model_path (str): The user's ``SMPL_*.npz`` or ``.pkl``.
        trust_pickle (bool): Whether a ``.pkl`` may be unpickled, which runs
            whatever code its author put into it.

    Raises:
        ImportError: If ``smplx`` is not installed.
        ValueError: One line naming the file and what is wrong with it.
    """

    def __init__(self, model_path: PathLike, trust_pickle: bool = False):
        super().__init__()
        skinning = import_extra('smplx.lbs', 'SMPLBodyModel')
        # Only its skinning is taken: the class smplx.SMPL unpickles without
        # asking, and its arrays would go into every checkpoint.
        self._skin = skinning.lbs
        arrays = load_smpl_file(model_path, trust_pickle)
        # (V, 3, 207) -> (207, V * 3)
        posedirs = arrays.pop('posedirs')
        arrays['posedirs'] = posedirs.reshape(-1, posedirs.shape[-1]).T.copy()
        for key, array in arrays.items():
            tensor = torch.from_numpy(array.copy())
            self.register_buffer(key, tensor, persistent=False)
        parents = torch.tensor(SMPL_PARENTS)
        self.register_buffer('parents', parents, persistent=False)

    @property
    def num_vertices(self) -> int:
        """V, 6890 of the official models."""
        return len(self.v_template)

    def forward(
        self,
        rotations: Tensor,
        betas: Optional[Tensor] = None,
        scale: Optional[Tensor] = None,
    ) -> BodyModelOutput:
        """Joints (B, 14, 3) and vertices (B, V, 3) in metres, no translation.

        Chunks of frames go one after the other to spare memory. Rotations are
        relative to the parents, (B, 24, 3, 3); ``betas`` are the shape (B,
        10), None: the mean; ``scale`` (B,) is a factor on joints and vertices.
        Raises a ValueError if a shape is another.
        """
        check_body_inputs(rotations, betas, scale)
        if betas is None:
            betas = rotations.new_zeros(len(rotations), NUM_BETAS)
        # Without frames, too, there is something to put together.
        joints = [self.v_template.new_zeros(0, len(LSP14_FROM_SMPL24), 3)]
        vertices = [self.v_template.new_zeros(0, *self.v_template.shape)]
        for start in range(0, len(rotations), _CHUNK_FRAMES):
            chunk = slice(start, start + _CHUNK_FRAMES)
            surface, skeleton = self._skin(
                betas[chunk].to(self.v_template),
                rotations[chunk].to(self.v_template).contiguous(),
                self.v_template,
                self.shapedirs,
                self.posedirs,
                self.J_regressor,
                self.parents,
                self.weights,
                pose2rot=False,
            )
            joints.append(skeleton[:, LSP14_FROM_SMPL24])
            vertices.append(surface)
        joints, vertices = torch.cat(joints), torch.cat(vertices)
        if scale is not None:
            factor = scale.to(joints)[:, None, None]
            joints, vertices = joints * factor, vertices * factor
        return BodyModelOutput(joints, vertices)


@MODELS.register_module()
class SkeletonBodyModel(nn.Module):
    """Forward kinematics on the bones of a mean adult, 1.70 m tall.

    It gives joint errors of SMPL rotations in metres where there is no file
    of SMPL. They are near those of SMPL but not the same, so they must not
    be compared with published figures. Shape parameters change nothing, and
    there are no vertices.

    The joints are named as lsp14, but neck and head are SMPL's joints 12 and
    15, not the top of the head.
    """

    num_vertices = 0

    def __init__(self):
        super().__init__()
        self.register_buffer('offsets', mean_adult_offsets(), persistent=False)

    def forward(
        self,
        rotations: Tensor,
        betas: Optional[Tensor] = None,
        scale: Optional[Tensor] = None,
    ) -> BodyModelOutput:
        """Joints (B, 14, 3) in metres of SMPL's local rotations (B, 24, 3, 3).

        ``betas`` (B, 10) are not used; ``scale`` (B,) is a factor on the size.
        Raises a ValueError if a shape is another.
        """
        check_body_inputs(rotations, betas, scale)
        joints = forward_kinematics(rotations, self.offsets.to(rotations))
        joints = joints[:, LSP14_FROM_SMPL24]
        if scale is not None:
            joints = joints * scale[:, None, None]
        return BodyModelOutput(joints, None)
