# Table 4, row 1: constant width, 4 levels, no online mutual learning. What
# of eq. 9 stays is not said: here all of it, in both norms.
_base_ = ['../hanet_simplebaseline-11frm_1xb16-70e_jhmdb.py']

model = dict(
    backbone=dict(hierarchical=False, num_levels=4),
    head=dict(num_layers=4, loss=dict(oml_norms=[])),
)
