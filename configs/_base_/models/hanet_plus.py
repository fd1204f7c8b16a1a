# Beyond the paper: every frame is a token, scores weigh keypoints, left/right
# swaps are corrected (flip_indices), errors are predicted. 0.34 M parameters.
_base_ = ['hanet.py']

small = dict(embed_dims=64, feedforward_channels=128, use_scores=True)
model = dict(
    sample_interval=1,
    backbone=dict(num_levels=2, mask_self=False, **small),
    head=dict(
        num_layers=2,
        init='identity',
        predict_error=True,
        loss=dict(final_weight=5.0),
        **small,
    ),
)
