# A token attends to itself too; not in the paper.
_base_ = ['../hanet_simplebaseline-11frm_1xb16-70e_jhmdb.py']

model = dict(backbone=dict(mask_self=False))
