# Copyright (c) hanet_mm contributors. All rights reserved.
"""From a training checkpoint to the portable file of a refiner."""

from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

from hanet_mm.core.data.atomic import check_output, check_writable
from hanet_mm.core.data.files import PathLike
from hanet_mm.core.refine.gate import fit_gate
from hanet_mm.core.refine.refiner import Refiner
from hanet_mm.core.refine.weights_file import load_weights
from hanet_mm.progress import track

from .checkpoints import read_checkpoint, read_config_value
from .config_files import read_config

# Arguments of the registered classes that the network does not have.
_NOT_NETWORK = (
    *('type', 'loss', 'accel_loss', 'limited_loss', 'decoder', 'init'),
    'init_cfg',
)
_NOT_WEIGHTS = ('head.loss_module.', 'data_preprocessor.')
# For the gate: enough for a covariance of some fifty features and a far
# percentile.
_NUM_WINDOWS = 8192
_BATCH = 64


def export_refiner(
    checkpoint: PathLike,
    out: PathLike,
    config: Optional[PathLike] = None,
    trust_pickle: bool = False,
    fps: Optional[float] = None,
    gate: bool = False,
    trust: bool = False,
    others: Sequence[PathLike] = (),
) -> Refiner:
    """Write the portable file of a trained ``HANet``.

    Args:
        checkpoint (PathLike): Written by MMEngine.
        out (PathLike): The ``.safetensors`` file to write.
        config (PathLike, optional): Config of the model. Defaults to None:
            the one in the checkpoint.
        trust_pickle (bool): Unpickle the checkpoint, which runs any code in
            it. Needed for MMEngine's checkpoints under torch < 2.6.
        fps (float, optional): Frame rate of the training data, to which
            other sequences are resampled, but for those within the
            ``fps_range`` of the training data set, if it has one. Defaults
            to None: unknown.
        gate (bool): Fit a gate to the training data: windows unlike them are
            smoothed with a classical filter.
        trust (bool): Undo swaps of left and right and keep to the evidence
            in a sequence, see :class:`Refiner`.
        others (Sequence[PathLike]): Further checkpoints of the same training:
            the weights are the mean of all, which is better than the last
            where the learning rate was still high (Izmailov et al.,
            "Averaging weights leads to wider optima", UAI 2018).

    Returns:
        Refiner: What was written.

    Raises:
        FileNotFoundError: If there is no such checkpoint or config.
        ImportError: If OpenMMLab is not installed.
        ValueError: One line: not a checkpoint, another model, or weights
            that do not fit the config.
    """
    check_output(out, [x for x in (checkpoint, config) if x is not None])
    check_writable(out)
    refiner = checkpoint_refiner(
        checkpoint,
        config,
        trust_pickle,
        fps,
        gate,
        trust=trust,
        others=others,
    )
    refiner.save(out)
    return refiner


def checkpoint_refiner(
    checkpoint: PathLike,
    config: Optional[PathLike] = None,
    trust_pickle: bool = False,
    fps: Optional[float] = None,
    gate: bool = False,
    dataset_meta: Optional[Dict[str, Any]] = None,
    trust: bool = False,
    others: Sequence[PathLike] = (),
) -> Refiner:
    """The refiner of a checkpoint, see :func:`export_refiner`.

    ``dataset_meta`` stands in for what the checkpoint does not say of its
    keypoints.
    """
    content = read_checkpoint(checkpoint, trust_pickle)
    meta = content.get('meta')
    meta = dict(meta) if isinstance(meta, dict) else {}
    meta.setdefault('dataset_meta', dataset_meta)
    model = _find_model(checkpoint, meta, config)
    source = str(checkpoint if config is None else config)
    try:
        refiner = Refiner(
            **refiner_arguments(model),
            keypoint_names=_names(meta),
            fps=fps,
            fps_range=_fps_range(fps, checkpoint, meta, config),
            flip_indices=_flip_indices(model, meta),
            trust=trust,
        )
    except KeyError as error:
        raise ValueError(f'{source}: model has no {error}') from None
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(f'{source}: model: {error}') from None
    files = [checkpoint, *others]
    weights = [_weights(content)]
    weights += [_weights(read_checkpoint(x, trust_pickle)) for x in others]
    for path, own in zip(files, weights):
        load_weights(refiner.network, own, path)
    load_weights(
        refiner.network,
        {
            name: torch.stack([x[name] for x in weights]).mean(0)
            for name in own
        },
        checkpoint,
    )
    if gate:
        loader = _find_value('train_dataloader', checkpoint, meta, config)
        fit_gate(refiner.add_gate(), _windows(loader['dataset']))
    return refiner


def _find_model(
    checkpoint: PathLike, meta: dict, config: Optional[PathLike]
) -> Dict[str, Any]:
    model = _find_value('model', checkpoint, meta, config)
    found = model.get('type') if isinstance(model, dict) else None
    if str(found).split('.')[-1] != 'HANet':
        raise ValueError(
            f'{checkpoint if config is None else config}: expected a model of '
            f'type HANet, found {found}'
        )
    return model


def _find_value(
    name: str, checkpoint: PathLike, meta: dict, config: Optional[PathLike]
) -> Any:
    """A value of the config file, or of the config in the checkpoint."""
    if config is not None:
        return _value_of_file(name, config)
    if isinstance(meta.get('cfg'), str):
        return read_config_value(checkpoint, meta['cfg'], name)
    raise ValueError(
        f"{checkpoint}: expected the config in meta['cfg'], found none: "
        'give it with --config (published .pth.tar files first go '
        'through tools/model_converters/published_to_mmengine.py)'
    )


def _value_of_file(name: str, config: PathLike) -> Any:
    content = read_config(config, import_custom_modules=False)
    return content.to_dict().get(name)


def refiner_arguments(model: Dict[str, Any]) -> Dict[str, Any]:
    """Arguments of :class:`Refiner` for the config of a ``HANet``.

    ``test_cfg.tail`` does not apply: a refiner refines every frame.
    """
    parts = {
        part: {
            key: value
            for key, value in model[part].items()
            if key not in _NOT_NETWORK
        }
        for part in ('backbone', 'head')
    }
    network = dict(
        parts,
        sample_interval=model['sample_interval'],
        distance=model.get('distance', 1),
    )
    codec = model['head']['decoder']
    return dict(
        network=network,
        window_size=model['window_size'],
        # 'box' is the default of PoseSequenceCodec.
        normalization=codec.get('normalization', 'box'),
        root=codec.get('root'),
        stride=(model.get('test_cfg') or {}).get('stride', 1),
        taper=(model.get('test_cfg') or {}).get('taper', False),
    )


def _fps_range(
    fps: Optional[float],
    checkpoint: PathLike,
    meta: dict,
    config: Optional[PathLike],
) -> Optional[Sequence[float]]:
    """Rates of the training data set, if they are known."""
    if fps is None or (config is None and 'cfg' not in meta):
        return None
    loader = _find_value('train_dataloader', checkpoint, meta, config) or {}
    return loader.get('dataset', {}).get('fps_range')


def _flip_indices(model: dict, meta: dict) -> Optional[List[int]]:
    """Flip indices of the training data if the model has ``flip_test``."""
    if not (model.get('test_cfg') or {}).get('flip_test', False):
        return None
    flip = (meta.get('dataset_meta') or {}).get('flip_indices')
    if flip is None:
        raise ValueError(
            'flip_test needs flip_indices in the meta of the checkpoint'
        )
    return [int(index) for index in flip]


def _names(meta: dict) -> Optional[List[str]]:
    """Names of the keypoints that MMPose stores with a checkpoint."""
    dataset = meta.get('dataset_meta')
    if not isinstance(dataset, dict):
        return None
    names = dataset.get('keypoint_id2name')
    if not names:
        return None
    return [str(names[index]) for index in sorted(names)]


def _weights(content: dict) -> Dict[str, Tensor]:
    return {
        name: value
        for name, value in content['state_dict'].items()
        if not name.startswith(_NOT_WEIGHTS)
    }


def _windows(config: Dict[str, Any]) -> Iterator[Tuple[Tensor, Tensor]]:
    """Batches of windows and scores, spread over the training data."""
    from mmengine.registry import DefaultScope
    from mmpose.registry import DATASETS

    with DefaultScope.overwrite_default_scope('mmpose'):
        dataset = DATASETS.build(config)
        # Neighbours stay together: some data sets make them together.
        size = min(_BATCH, len(dataset))
        batches = np.arange(len(dataset) - len(dataset) % size)
        batches = batches.reshape(-1, size)
        chosen = np.linspace(
            0, len(batches) - 1, min(len(batches), _NUM_WINDOWS // size)
        )
        chosen_batches = [batches[int(index)] for index in chosen]
        for indices in track(chosen_batches, 'gate', 'batch'):
            items = [dataset[int(index)] for index in indices]
            labels = [x['data_samples'].gt_instance_labels for x in items]
            yield (
                torch.as_tensor(np.stack([x['inputs'] for x in items])),
                torch.as_tensor(np.stack([x.keypoint_scores for x in labels])),
            )
