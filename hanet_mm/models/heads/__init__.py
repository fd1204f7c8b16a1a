from .kinematic_head import KinematicHead

__all__ = ['KinematicHead']
