# Copyright (c) hanet_mm contributors. All rights reserved.
"""Bundled refiners as checkpoints to start from."""

from typing import Any, Dict

from mmengine.runner import CheckpointLoader

from hanet_mm.core.refine.weights_file import find_refiner, read_portable

PREFIX = 'hanet_mm://'


@CheckpointLoader.register_scheme(prefixes=PREFIX)
def load_bundled_weights(
    filename: str, map_location: Any = None
) -> Dict[str, Any]:
    """Load the network of a bundled refiner, ``hanet_mm://coco17-2d``.

    For ``load_from`` of a config and ``init_cfg`` of a model. The gate is no
    part of the network and stays behind.
    """
    weights, _ = read_portable(find_refiner(filename[len(PREFIX) :]))
    return dict(
        meta={},
        state_dict={
            name: value.to(map_location or 'cpu')
            for name, value in weights.items()
            if not name.startswith('gate.')
        },
    )
