# Table 5, row 1: no kinematic feature, no stacked neighbours.
_base_ = ['../hanet_simplebaseline-11frm_1xb16-70e_jhmdb.py']

model = dict(
    backbone=dict(use_flow=False, stack_neighbors=False),
    head=dict(use_velocity=False, use_acceleration=False, motion_affine=False),
)
