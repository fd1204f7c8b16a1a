# Table 5, row 4: flow, velocity and acceleration, without WB.
_base_ = ['../hanet_simplebaseline-11frm_1xb16-70e_jhmdb.py']

model = dict(
    backbone=dict(stack_neighbors=False), head=dict(motion_affine=False)
)
