# As Table 5, row 5, without the stacked neighbours.
_base_ = ['../hanet_simplebaseline-11frm_1xb16-70e_jhmdb.py']

model = dict(backbone=dict(stack_neighbors=False))
