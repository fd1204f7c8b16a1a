# Copyright (c) hanet_mm contributors. All rights reserved.
from mmengine.optim import CosineAnnealingLR, LinearLR

from hanet_mm.engine import FusedAdamW

# An epoch of linear warm-up, then a cosine that ends with the last epoch.
optim_wrapper = dict(
    optimizer=dict(type=FusedAdamW, lr=1e-3, weight_decay=0.01, amsgrad=True)
)
param_scheduler = [
    dict(type=LinearLR, start_factor=1e-3, end=1, convert_to_iter_based=True),
    dict(
        type=CosineAnnealingLR,
        eta_min=1e-5,
        begin=1,
        convert_to_iter_based=True,
    ),
]
