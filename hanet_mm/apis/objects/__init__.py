# Copyright (c) hanet_mm contributors. All rights reserved.
"""Results of pose estimators in memory, refined and given back as they came.

A kind of result is one module of this package and one line in
:data:`hanet_mm.apis.objects.registry.KINDS`. To add a kind, write
``objects/<name>.py`` with

1. ``TITLE``, its name in messages, and ``SKELETONS``, the names of keypoints
   by their number, where the result does not say them;
2. ``matches(result) -> bool``, whether something is the result of a frame,
   by its attributes: no library is imported for it;
3. ``read(result) -> People``, see :class:`People`;
4. ``write(result, keypoints) -> copy`` with the keypoints (N, K, D) of the
   people that were read, in their order.

Linking people over frames, skeletons, image sizes and missing keypoints are
the same for all: see :mod:`hanet_mm.apis.objects.base`.
"""
