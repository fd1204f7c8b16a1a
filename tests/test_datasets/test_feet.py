# Copyright (c) hanet_mm contributors. All rights reserved.
"""Toes and heels: where they are, and what estimators say of them."""

import json

import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from scipy.spatial.transform import Rotation
from test_error_bank import COCO, bank, noisy

from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.datasets.simulation import (
    EstimatorNoise,
    captured_motion,
    exercise_motion,
    procedural_motion,
    simulate_estimator_noise,
)
from hanet_mm.datasets.simulation.feet import FOOT_NAMES, captured_feet
from hanet_mm.datasets.simulation.foot_errors import draw_errors
from hanet_mm.datasets.simulation.keypoints import keypoint_parts

pytestmark = pytest.mark.mm

SKELETON = 'coco_wholebody_body'
NAMES = SKELETONS[SKELETON].keypoint_names
FEET = [NAMES.index(x) for x in FOOT_NAMES]
ANKLES = [NAMES.index(f'{x.split("_")[0]}_ankle') for x in FOOT_NAMES]
CMU = [side + x for side in 'lr' for x in ('femur', 'tibia', 'foot', 'toes')]
# A person who stands, z ahead, y up, x to the left: knee, ankle, ball, tip.
LEFT = np.array([[0.1, 0.5, 0], [0.1, 0.07, 0], [0.1, 0.03, 0.13]])
LEFT = np.concatenate([LEFT, [[0.1, 0.02, 0.20]]])
STANDING = np.concatenate([LEFT, LEFT * [-1, 1, 1]])


def test_captured_feet_of_a_person_who_stands():
    feet = dict(zip(FOOT_NAMES, captured_feet(STANDING[None], CMU)[0]))
    ankle = LEFT[1]
    # Heels are behind the ankles and near the floor, toes are ahead.
    for side, sign in (('left', 1), ('right', -1)):
        x, y, z = feet[f'{side}_heel']
        assert x == pytest.approx(sign * 0.1, abs=1e-6)
        assert 0 < y < 0.3 * ankle[1]
        assert -0.07 < z < -0.04
        big, small = feet[f'{side}_big_toe'], feet[f'{side}_small_toe']
        np.testing.assert_allclose(big[1:], LEFT[3, 1:], atol=1e-6)
        assert big[2] - 0.06 < small[2] < big[2] - 0.03
        # The small toe is outside, the big one inside of the middle.
        assert sign * big[0] < 0.1 < sign * small[0]
        assert abs(small[0] - big[0]) == pytest.approx(0.067, abs=0.01)


def test_captured_feet_turn_and_grow_with_the_person():
    feet = captured_feet(STANDING[None], CMU)
    turn = Rotation.from_euler('xyz', [0.4, 2.0, -0.3]).as_matrix()
    moved = 1.3 * STANDING @ turn.T + [3.0, 0.2, -1.0]
    np.testing.assert_allclose(
        captured_feet(moved[None], CMU),
        1.3 * feet @ turn.T + [3.0, 0.2, -1.0],
        atol=1e-6,
    )


def test_captured_feet_need_the_joints_of_a_leg():
    names = [x.replace('rtoes', 'other') for x in CMU]
    with pytest.raises(ValueError, match="joint_names: expected 'rtoes', fou"):
        captured_feet(STANDING[None], names)


def at(joints, name):
    return joints[..., NAMES.index(name), :]


@pytest.mark.parametrize('make', [procedural_motion, exercise_motion])
def test_procedural_feet_are_feet(make):
    options = dict(num=24) if make is procedural_motion else dict(each=1)
    motion = make(np.random.default_rng(0), SKELETON, **options)
    joints = motion.joints.astype(np.float64)
    starts = motion.start[:, None] + np.arange(motion.length[0])
    for side in ('left', 'right'):
        points = {
            x: at(joints, f'{side}_{x}')
            for x in ('knee', 'ankle', 'heel', 'big_toe', 'small_toe')
        }

        def apart(a, b, points=points):
            return np.linalg.norm(points[a] - points[b], axis=-1)

        # In proportion to the shank, as measured people are.
        ratio = apart('ankle', 'heel') / apart('knee', 'ankle')
        np.testing.assert_allclose(ratio, 0.184, atol=0.01)
        toes = apart('big_toe', 'small_toe')[starts]
        assert np.ptp(toes, axis=1).max() < 1e-5
        # Feet never point along the shank, nor backwards.
        sole = points['big_toe'] - points['heel']
        shank = points['knee'] - points['ankle']
        cosine = np.sum(sole * shank, axis=-1) / (
            apart('big_toe', 'heel') * apart('knee', 'ankle')
        )
        assert np.degrees(np.arccos(cosine)).max() < 165
        # No jumps: toes are hardly faster than ankles.
        toe, ankle = (
            np.linalg.norm(np.diff(points[x][starts], axis=1), axis=-1)
            for x in ('big_toe', 'ankle')
        )
        assert (toe - ankle).max() < 0.15


def test_standing_procedural_feet_are_flat_and_point_ahead():
    motion = procedural_motion(np.random.default_rng(1), SKELETON, 24)
    joints = motion.joints.astype(np.float64)
    ankles = np.stack([at(joints, f'{x}_ankle') for x in ('left', 'right')])
    height = ankles[..., 1]
    low = height < np.quantile(height, 0.2)
    across = at(joints, 'left_hip') - at(joints, 'right_hip')
    for standing, side in zip(low, ('left', 'right')):
        sole = at(joints, f'{side}_big_toe') - at(joints, f'{side}_heel')
        sole, hips = sole[standing], across[standing]
        length = np.linalg.norm(sole, axis=-1)
        slope = np.degrees(np.arcsin(sole[:, 1] / length))
        assert np.quantile(np.abs(slope), 0.9) < 15
        ahead = np.cross(hips, [0.0, 1.0, 0.0])
        cosine = np.sum(sole * ahead, -1) / (
            length * np.linalg.norm(ahead, axis=-1)
        )
        assert np.quantile(cosine, 0.1) > 0.8


def test_errors_of_feet_are_the_ankles_and_their_own():
    truth = np.zeros((200, 40, 23, 2)) + 100
    rng = np.random.default_rng(0)
    quiet = dict.fromkeys(
        ('drift', 'bias', 'occlusion_share', 'outlier_share'), 0.0
    )
    quiet.update(body_swap_share=0.0, limb_swap_share=0.0, jitter_spread=0.0)
    noise = EstimatorNoise(
        jitter_correlation=0.0, missing_share=0.1, missing_frames=5, **quiet
    )
    found, scores = simulate_estimator_noise(
        truth, np.full((200, 40), 100.0), rng, noise, NAMES
    )
    gone = scores == 0
    assert gone[..., FEET][gone[..., ANKLES]].all()
    assert gone[..., FEET].mean() > gone[..., ANKLES].mean()
    # With jitter alone: variances add up, that of the ankle is shared.
    difficulty = keypoint_parts(tuple(NAMES), 2).difficulty
    errors = (found - truth)[..., 0]
    for foot, ankle in zip(FEET, ANKLES):
        known = ~gone[..., foot]
        one, two = errors[..., foot][known], errors[..., ankle][known]
        ratio = np.hypot(1, difficulty[foot] / difficulty[ankle])
        assert np.std(one) / np.std(two) == pytest.approx(ratio, abs=0.03)
        found_tie = np.corrcoef(one, two)[0, 1]
        assert found_tie == pytest.approx(1 / ratio, abs=0.03)


def test_toes_and_heels_are_taken_for_those_of_the_other_foot():
    truth = np.zeros((400, 40, 23, 2))
    truth[..., 0] = 100 * np.arange(23)
    quiet = dict.fromkeys(
        ('jitter', 'drift', 'bias', 'occlusion_share', 'outlier_share'), 0.0
    )
    quiet.update(missing_share=0.0, body_swap_share=0.0, limb_swap_share=0.05)
    found, _ = simulate_estimator_noise(
        truth,
        np.full((400, 40), 100.0),
        np.random.default_rng(0),
        EstimatorNoise(**quiet),
        NAMES,
    )
    source = np.rint(found[..., 0] / 100).astype(int)
    swapped = source != np.arange(23)
    mirror = keypoint_parts(NAMES, 2).mirror
    np.testing.assert_array_equal(
        source[swapped], np.broadcast_to(mirror, source.shape)[swapped]
    )
    feet, ankles = swapped[..., FEET], swapped[..., ANKLES]
    # A foot changes as a whole, with its leg or alone.
    np.testing.assert_array_equal(feet, feet[..., :1].repeat(6, axis=-1))
    assert (feet & ~ankles).any()
    assert (feet & ankles).any()
    assert feet.mean() == pytest.approx(2 * 0.05 * 0.95, abs=0.02)


def test_feet_without_a_bank_of_their_own():
    source = noisy(12, scores=np.full((12 * 20, 17), 0.25))
    gone = np.random.default_rng(1).random((12 * 20, 17)) < 0.1
    source.errors[gone] = np.nan
    source = bank(
        12, errors=source.errors, scores=source.scores, swapped=gone[:, ::-1]
    )
    drawn = draw_errors(
        np.random.default_rng(0), source, 50, 30, 30.0, list(NAMES)
    )
    plain = source.draw(np.random.default_rng(0), 50, 30, 30.0, COCO)
    # The body is as without feet.
    for name in ('errors', 'scores', 'source', 'bias'):
        np.testing.assert_array_equal(
            getattr(drawn, name)[:, :, :17], getattr(plain, name)
        )
    missing = drawn.scores == 0
    np.testing.assert_array_equal(missing, np.isnan(drawn.errors).any(-1))
    assert missing[..., FEET][missing[..., ANKLES]].all()
    assert missing[..., FEET].mean() > missing[..., ANKLES].mean()
    np.testing.assert_allclose(drawn.scores[~missing], 0.25, rtol=1e-5)
    away = drawn.source != np.arange(23)
    np.testing.assert_array_equal(away[..., FEET], away[..., ANKLES])
    mirror = keypoint_parts(NAMES, 2).mirror
    expected = np.where(away, mirror, np.arange(23))
    np.testing.assert_array_equal(drawn.source, expected)
    own = (drawn.errors[:, :, FEET] - drawn.errors[:, :, ANKLES])[..., 0]
    known = ~missing[..., FEET]
    assert np.std(own[known]) == pytest.approx(0.66 * 0.02, rel=0.1)
    lead = drawn.errors[:, :, ANKLES][..., 0][known]
    assert abs(np.corrcoef(own[known], lead)[0, 1]) < 0.1


def recordings(folder, **changes):
    """Recordings of people who stand, COCO's keypoints anywhere."""
    body = np.random.default_rng(0).normal(0, 0.3, (180, 17, 3))
    values = dict(
        coco17=body.astype(np.float32),
        coco17_names=np.array(COCO),
        joints_3d=np.float32(STANDING)[None].repeat(180, axis=0),
        joint_names=np.array(CMU),
        clean=np.ones(180, bool),
        seq_len=np.full(6, 30),
        seq_name=np.array([f'walking_{i}' for i in range(1, 7)]),
        meta=np.array(json.dumps(dict(units='m', up='y'))),
    )
    values.update(changes)
    values = {k: v for k, v in values.items() if v is not None}
    np.savez(folder / 'a.npz', **values)
    return str(folder / 'a.npz')


def test_captured_motion_with_feet(tmp_path):
    path = recordings(tmp_path)
    whole = captured_motion(path, SKELETON, 'train')
    body = captured_motion(path, 'coco17', 'train')
    np.testing.assert_array_equal(whole.joints[:, :17], body.joints)
    np.testing.assert_allclose(
        whole.joints[:1, 17:], captured_feet(STANDING[None], CMU), atol=1e-6
    )
    path = recordings(tmp_path, joints_3d=None)
    with pytest.raises(ValueError, match=r'a\.npz: .*joints_3d'):
        captured_motion(path, SKELETON, 'train')


def test_windows_of_people_with_feet(tmp_path):
    init_default_scope('mmpose')
    dataset = DATASETS.build(
        dict(
            type='SimulatedPoseSequenceDataset',
            ann_file=recordings(tmp_path),
            skeleton=SKELETON,
            bank=noisy(6),
            num_windows=8,
            chunk_size=8,
            window_size=15,
            chunk_pipeline=[dict(type='MeasureEvidence')],
        )
    )
    item = dataset.get_data_info(3)
    assert item['keypoint_names'] == NAMES
    assert item['keypoints'].shape == item['path'].shape == (15, 23, 2)
    assert list(dataset.metainfo['flip_indices'][17:]) == [
        *(20, 21, 22, 17, 18, 19)
    ]


def test_feet_of_the_cmu_database_are_as_long_as_feet(shared_dir):
    path = str(shared_dir / 'data' / 'cmu_mocap_train.npz')
    motion = captured_motion(path, SKELETON, 'train')
    joints = motion.joints[motion.clean]
    for side in ('left', 'right'):
        length = np.linalg.norm(
            at(joints, f'{side}_big_toe') - at(joints, f'{side}_heel'), axis=-1
        )
        shank = np.linalg.norm(
            at(joints, f'{side}_knee') - at(joints, f'{side}_ankle'), axis=-1
        )
        # Drillis and Contini: 0.152 and 0.246 of the stature.
        ratio = np.median(length / shank)
        assert ratio == pytest.approx(0.152 / 0.246, rel=0.15)
