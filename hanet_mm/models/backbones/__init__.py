from .hierarchical_encoder import HierarchicalEncoder

__all__ = ['HierarchicalEncoder']
