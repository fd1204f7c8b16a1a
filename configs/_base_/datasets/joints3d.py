# 3D joints in metres, relative to the root of each frame.
_base_ = ['pose_sequence.py', '../metrics/joints3d.py']

val_evaluator = {{_base_.joint_metrics}}
test_evaluator = {{_base_.joint_metrics_of_test}}
