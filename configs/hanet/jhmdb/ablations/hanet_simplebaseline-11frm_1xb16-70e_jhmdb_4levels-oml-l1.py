# Table 4, row 4: 4 levels, online mutual learning by the L1 norm.
_base_ = ['../hanet_simplebaseline-11frm_1xb16-70e_jhmdb.py']

model = dict(
    backbone=dict(num_levels=4),
    head=dict(num_layers=4, loss=dict(oml_norms=['l1'])),
)
