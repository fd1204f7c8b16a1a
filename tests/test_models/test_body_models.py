# Copyright (c) hanet_mm contributors. All rights reserved.
"""Body models, on a small random one in the layout of SMPL's files."""

import pickle
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from mmpose.registry import MODELS
from oracles.plain_smpl import LSP14, plain_smpl, random_smpl
from scipy import sparse
from scipy.spatial.transform import Rotation

import hanet_mm.models.body_models  # noqa: F401  (registers them)
from hanet_mm.models.body_models import bodies

pytestmark = pytest.mark.mm

needs_smplx = pytest.mark.skipif(
    not find_spec('smplx'),
    reason='needs the package smplx (extra "smpl")',
)


@pytest.fixture
def arrays():
    return random_smpl()


@pytest.fixture
def save(tmp_path):
    """Write the arrays as a file of the given name, and build its model."""

    def build(arrays, name='SMPL.npz', **kwargs):
        path = tmp_path / name
        if path.suffix == '.npz':
            np.savez(path, **arrays)
        else:
            path.write_bytes(pickle.dumps(arrays, protocol=2))
        cfg = dict(type='SMPLBodyModel', model_path=str(path), **kwargs)
        return MODELS.build(cfg)

    return build


def rotations(frames, seed=0):
    random = Rotation.random(frames * 24, random_state=seed)
    return random.as_matrix().reshape(frames, 24, 3, 3)


def shapes(frames, seed=0):
    return np.random.default_rng(seed).normal(size=(frames, 10))


def single(array):
    return torch.tensor(array, dtype=torch.float32)


def assert_is(output, arrays, turns, betas=None, scale=None):
    """The output is that of the plain skinning, to 5 micrometres."""
    for frame, turn in enumerate(turns):
        joints, vertices = plain_smpl(
            arrays,
            turn,
            None if betas is None else betas[frame],
            1.0 if scale is None else scale[frame],
        )
        np.testing.assert_allclose(
            output.joints[frame], joints[LSP14], rtol=0, atol=5e-6
        )
        np.testing.assert_allclose(
            output.vertices[frame], vertices, rtol=0, atol=5e-6
        )


@needs_smplx
class TestSMPL:
    @pytest.mark.parametrize('name', ['SMPL.npz', 'SMPL.pkl'])
    def test_is_plain_skinning(self, arrays, save, name):
        model = save(arrays, name, trust_pickle=name.endswith('pkl'))
        assert model.num_vertices == 60
        turns, betas = rotations(4), shapes(4)
        scale = np.array([1.0, 0.5, 2.0, 1.1])
        output = model(single(turns), single(betas), single(scale))
        assert_is(output, arrays, turns, betas, scale)

    def test_mean_shape_is_the_default(self, arrays, save):
        turns = rotations(2)
        assert_is(save(arrays)(single(turns)), arrays, turns)

    def test_frames_are_posed_in_chunks(self, arrays, save, monkeypatch):
        monkeypatch.setattr(bodies, '_CHUNK_FRAMES', 3)
        model = save(arrays)
        sizes, skin = [], model._skin

        def spy(betas, *args, **kwargs):
            sizes.append(len(betas))
            return skin(betas, *args, **kwargs)

        model._skin = spy
        turns, betas = rotations(7), shapes(7)
        output = model(single(turns), single(betas))
        assert sizes == [3, 3, 1]
        assert_is(output, arrays, turns, betas)

    def test_no_frames(self, arrays, save):
        output = save(arrays)(torch.ones(0, 24, 3, 3))
        assert output.joints.shape == (0, 14, 3)
        assert output.vertices.shape == (0, 60, 3)

    def test_nothing_to_train_and_nothing_in_a_checkpoint(self, arrays, save):
        model = save(arrays)
        assert not list(model.parameters())
        assert not torch.nn.ModuleDict({'body': model}).state_dict()

    def test_gradients_reach_the_rotations(self, arrays, save):
        turns = single(rotations(2)).requires_grad_()
        output = save(arrays)(turns)
        output.vertices.square().sum().backward()
        assert (turns.grad.abs().sum((2, 3)) > 0).all()

    def test_more_shapes_than_ten_are_cut(self, save):
        arrays = random_smpl(shapes=12)
        turns, betas = rotations(2), shapes(2)
        output = save(arrays)(single(turns), single(betas))
        assert_is(output, arrays, turns, betas)

    def test_sparse_regressor(self, arrays, save):
        """The official files hold it as a sparse matrix of scipy."""
        stored = dict(arrays)
        stored['J_regressor'] = sparse.csc_matrix(arrays['J_regressor'])
        model = save(stored, 'SMPL.pkl', trust_pickle=True)
        turns = rotations(1)
        assert_is(model(single(turns)), arrays, turns)

    def test_arrays_of_chumpy_need_no_chumpy(self, arrays, tmp_path):
        """Pickled by a class of its name with its attributes, then gone.

        chumpy.ch.Ch keeps its value as x; Select takes some of another.
        """
        path = tmp_path / 'SMPL.pkl'
        np.savez(tmp_path / 'plain.npz', **arrays)
        script = (
            'import pickle, sys, types, numpy as np\n'
            'for name in ("chumpy", "chumpy.ch", "chumpy.reordering"):\n'
            '    sys.modules[name] = types.ModuleType(name)\n'
            'Ch = type("Ch", (), dict(__module__="chumpy.ch"))\n'
            'Select = type("Select", (), '
            'dict(__module__="chumpy.reordering"))\n'
            'sys.modules["chumpy.ch"].Ch = Ch\n'
            'sys.modules["chumpy.reordering"].Select = Select\n'
            'data = dict(np.load(sys.argv[1]))\n'
            'for key in ("weights", "v_template"):\n'
            '    value, data[key] = data[key], Ch()\n'
            '    data[key].x = value\n'
            'shapes = data["shapedirs"]\n'
            'more = Ch()\n'
            'more.x = np.concatenate([shapes, 0 * shapes], -1)\n'
            'some = data["shapedirs"] = Select()\n'
            'some.a, some.preferred_shape = more, shapes.shape\n'
            'every = np.arange(more.x.size).reshape(more.x.shape)\n'
            'some.idxs = every[..., :10].ravel()\n'
            'pickle.dump(data, open(sys.argv[2], "wb"), 2)\n'
        )
        subprocess.run(
            [sys.executable, '-c', script, tmp_path / 'plain.npz', path],
            check=True,
        )
        model = MODELS.build(
            dict(type='SMPLBodyModel', model_path=path, trust_pickle=True)
        )
        turns, betas = rotations(2), shapes(2)
        output = model(single(turns), single(betas))
        assert_is(output, arrays, turns, betas)

    def test_a_pickle_needs_trust(self, arrays, save):
        with pytest.raises(ValueError, match=r'SMPL\.pkl.*trust_pickle=True'):
            save(arrays, 'SMPL.pkl')

    def test_an_archive_is_never_unpickled(self, arrays, save):
        arrays['weights'] = np.array([None, 1], dtype=object)
        with pytest.raises(ValueError, match=r"SMPL\.npz.*'weights'.*object"):
            save(arrays, trust_pickle=True)

    @pytest.mark.parametrize(
        ('key', 'value', 'message'),
        [
            ('posedirs', None, "'posedirs' is missing; expected v_template"),
            ('weights', np.ones((60, 52)), r'\(V, 24\), found \(60, 52\)'),
            ('weights', np.ones((61, 24)), r'\(V, 24\), found \(61, 24\)'),
            ('shapedirs', np.ones((60, 3, 9)), r'10 or more\), found'),
            ('J_regressor', np.ones(60), r'\(24, V\), found \(60,\)'),
            ('v_template', np.ones(()), r'\(V, 3\), found \(\)'),
            ('v_template', np.full((60, 3), np.nan), 'NaN or infinity'),
            ('v_template', np.full((60, 3), 'x'), 'not an array of numbers'),
            ('kintree_table', np.zeros((2, 24)), "parents of SMPL's joints"),
        ],
    )
    def test_file_and_key_are_named(self, arrays, save, key, value, message):
        arrays.pop(key)
        if value is not None:
            arrays[key] = value
        pattern = rf"SMPL\.npz: key '{key}'.*" if value is not None else ''
        with pytest.raises(ValueError, match=pattern + message) as caught:
            save(arrays)
        assert '\n' not in str(caught.value)

    @pytest.mark.parametrize(
        ('name', 'content', 'message'),
        [
            ('SMPL.npz', b'not an archive', r'SMPL\.npz.*cannot be read'),
            ('SMPL.pkl', b'not a pickle', r'SMPL\.pkl: cannot be unpickled'),
            ('SMPL.pkl', pickle.dumps([1]), r'SMPL\.pkl: .* found list'),
            ('SMPL.pkl', b'cnowhere\nThing\n.', r"needs the .* 'nowhere'"),
            ('SMPL.mat', b'', r"SMPL\.mat: .*\.npz or \.pkl, found '\.mat'"),
        ],
    )
    def test_broken_files_are_named(self, tmp_path, name, content, message):
        (tmp_path / name).write_bytes(content)
        cfg = dict(type='SMPLBodyModel', model_path=str(tmp_path / name))
        with pytest.raises(ValueError, match=message):
            MODELS.build(dict(cfg, trust_pickle=True))


def test_without_smplx_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'smplx', None)
    monkeypatch.setitem(sys.modules, 'smplx.lbs', None)
    with pytest.raises(ImportError, match=r'hanet_mm\[smpl\]'):
        MODELS.build(dict(type='SMPLBodyModel', model_path='SMPL.npz'))


class TestSkeleton:
    @pytest.fixture
    def body(self):
        return MODELS.build(dict(type='SkeletonBodyModel'))

    @staticmethod
    def rest(frames=1):
        return torch.eye(3).expand(frames, 24, 3, 3)

    def test_lengths_of_drillis_and_contini(self, body):
        """Segment lengths as parts of a stature of 1.70 m, to 1 cm."""
        output = body(self.rest())
        assert output.vertices is None
        assert body.num_vertices == 0
        ankle, knee, hip, _, _, _, wrist, elbow, shoulder = output.joints[
            0, :9
        ]
        for a, b, part in (
            (ankle, knee, 0.246),
            (knee, hip, 0.245),
            (shoulder, elbow, 0.186),
            (elbow, wrist, 0.146),
        ):
            assert abs((a - b).norm() - part * 1.70) < 0.01
        between = output.joints[0, 8] - output.joints[0, 9]
        assert abs(between.norm() - 0.259 * 1.70) < 0.01
        assert abs(shoulder[1] - hip[1] - 0.288 * 1.70) < 0.01

    def test_left_and_right_mirror_each_other(self, body):
        joints = body(self.rest()).joints[0]
        right = joints[[0, 1, 2, 6, 7, 8]]
        left = joints[[5, 4, 3, 11, 10, 9]]
        torch.testing.assert_close(left * torch.tensor([-1, 1, 1]), right)
        # Left is x > 0, the head is above the neck above the hips.
        assert (left[:, 0] > 0.05).all()
        assert joints[13, 1] > joints[12, 1] > joints[2, 1] > joints[0, 1]

    def test_a_bent_elbow_moves_the_wrist_only(self, body):
        """A quarter turn about y: the left forearm from x to -z."""
        turns = self.rest().clone()
        turns[0, 18] = single(Rotation.from_euler('y', 90, True).as_matrix())
        rest, bent = body(self.rest()).joints[0], body(turns).joints[0]
        forearm = rest[11] - rest[10]
        expected = torch.tensor([0.0, 0.0, -float(forearm[0])])
        torch.testing.assert_close(
            bent[11] - bent[10], expected, rtol=0, atol=1e-6
        )
        others = [k for k in range(14) if k != 11]
        torch.testing.assert_close(bent[others], rest[others])

    def test_betas_change_nothing_and_scale_the_size(self, body):
        turns = single(rotations(2))
        plain = body(turns).joints
        output = body(turns, torch.ones(2, 10), torch.tensor([2.0, 0.5]))
        expected = plain * torch.tensor([2.0, 0.5])[:, None, None]
        torch.testing.assert_close(output.joints, expected)

    def test_no_state(self, body):
        assert not body.state_dict()

    @pytest.mark.parametrize(
        ('inputs', 'message'),
        [
            (((2, 24, 6),), r'rotations .* \(2, 24, 3, 3\), got \(2, 24, 6\)'),
            (((2, 24, 3, 3), (1, 10)), r'betas .* \(2, 10\), got \(1, 10\)'),
            (((2, 24, 3, 3), (2, 10), (1,)), r'scale .* \(2,\), got \(1,\)'),
        ],
    )
    def test_other_shapes(self, body, inputs, message):
        with pytest.raises(ValueError, match=message):
            body(*(torch.ones(shape) for shape in inputs))
