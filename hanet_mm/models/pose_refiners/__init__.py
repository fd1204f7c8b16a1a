from .hanet import HANet

__all__ = ['HANet']
