# Table 5, row 3: flow and velocity.
_base_ = ['../hanet_simplebaseline-11frm_1xb16-70e_jhmdb.py']

model = dict(
    backbone=dict(stack_neighbors=False),
    head=dict(use_acceleration=False, motion_affine=False),
)
