# Table 4, row 7: 6 levels.
_base_ = ['../hanet_simplebaseline-11frm_1xb16-70e_jhmdb.py']

model = dict(backbone=dict(num_levels=6), head=dict(num_layers=6))
