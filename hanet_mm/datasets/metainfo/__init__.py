"""Skeletons that MMPose has no description of."""

from .lsp14 import lsp14
from .posetrack15 import posetrack15
from .smpl24 import smpl24

__all__ = ['lsp14', 'posetrack15', 'smpl24']
