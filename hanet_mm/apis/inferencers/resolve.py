"""Models of MMPose and MMDetection by alias, config name or path.

:class:`mmpose.apis.Pose2DInferencer` finds and builds them; here is what it
says if it cannot.
"""

import difflib
import os
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

import torch
from mmengine.infer import BaseInferencer
from mmpose.apis import Pose2DInferencer
from mmpose.apis.inferencers.utils import default_det_models
from mmpose.registry import DATASETS

Ids = Union[int, Tuple[int, ...], List[int], None]


class PoseModels(Pose2DInferencer):
    """Pose estimator and detector, found as MMPose's inferencers find them.

    Args:
        pose2d (str): Alias (``'human'``), config name or path of a config.
        pose2d_weights (str, optional): File or URL. Defaults to None: those
            that MMPose's model index names for the alias or config name.
        det_model (str, optional): Alias, config name or path of a config;
            ``'whole_image'`` takes each frame for one person. Defaults to
            None: MMPose's default detector for what the estimator was
            trained on.
        det_weights (str, optional): File or URL. Defaults to None: those of
            the model index.
        det_cat_ids (int | Sequence[int], optional): Categories of the
            detector that are persons. Defaults to None: 0 for a detector
            that was named, and MMPose's choice for the default one.
        device (str, optional): Defaults to None: the GPU if there is one.

    Raises:
        ValueError: One line: which model, what was tried, what went wrong,
            and how local files are passed.
    """

    def __init__(
        self,
        pose2d: str,
        pose2d_weights: Optional[str] = None,
        det_model: Optional[str] = None,
        det_weights: Optional[str] = None,
        det_cat_ids: Ids = None,
        device: Optional[str] = None,
    ) -> None:
        check_device(device)
        with _explained('pose2d', pose2d, pose2d_weights, 'mmpose'):
            super().__init__(
                model=pose2d,
                weights=pose2d_weights,
                device=device,
                det_model=det_model,
                det_weights=det_weights,
                det_cat_ids=0 if det_cat_ids is None else det_cat_ids,
            )

    def _init_detector(
        self,
        det_model: Optional[str] = None,
        det_weights: Optional[str] = None,
        det_cat_ids: Ids = None,
        device: Optional[str] = None,
    ) -> None:
        """Build the detector, the default one also with weights given."""
        if det_model is None and self._default_detector:
            default = self._default_detector
            det_model, det_cat_ids = default['model'], default['cat_ids']
            det_weights = det_weights or default['weights']
        name = det_model or 'whole_image'
        with _explained('det_model', name, det_weights, 'mmdet'):
            super()._init_detector(det_model, det_weights, det_cat_ids, device)

    @property
    def _default_detector(self) -> Optional[Dict[str, Any]]:
        """MMPose's choice for what the estimator was trained on."""
        module = DATASETS.get(self.cfg.dataset_type).__module__
        kind = module.split('datasets.')[-1].split('.')[0].lower()
        return default_det_models.get(kind)


class ModelError(ValueError):
    """A model could not be found, built or loaded."""


def check_device(device: Optional[str]) -> None:
    """Refuse a device that is not there.

    Raises:
        ValueError: One line with the reason.
    """
    if device is None:
        return
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).split('\n', 1)[0]
        raise ValueError(f'device {device!r}: {reason}') from None


@contextmanager
def _explained(
    option: str, name: str, weights: Optional[str], scope: str
) -> Iterator[None]:
    """Turn whatever a library raises into one line that helps.

    Args:
        option: The argument that named the model.
        name: Of the model.
        weights: That were given.
        scope: Package whose model index is searched.
    """
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # registries, files, networks, pickles
        raise ModelError(
            explain(option, name, weights, scope, error)
        ) from error


def explain(
    option: str,
    name: str,
    weights: Optional[str],
    scope: str,
    error: Exception,
) -> str:
    """One line: what was tried, why it failed, what to do.

    Args:
        option (str): The argument that named the model.
        name (str): Alias, config name or path.
        weights (str, optional): That were given.
        scope (str): Package whose model index is searched.
        error (Exception): What was raised.
    """
    flag = '--' + option.replace('_', '-')
    local = (
        f'pass local files with {flag} CONFIG.py and '
        f'{flag.replace("-model", "")}-weights FILE.pth'
    )
    tried = f'{option} {name!r}'
    if not os.path.isfile(name):
        if name.endswith('.py'):
            return f'{tried}: no such config file; {local}'
        found = find_in_index(name, scope)
        if found is None:
            near = difflib.get_close_matches(name, _names(scope), 3)
            hint = f', did you mean {" or ".join(near)}?' if near else ''
            return (
                f'{tried}: neither a file nor a model in the index of '
                f'{scope}{hint}; {local}'
            )
        tried += f', which is {found[0]} of {scope}'
        weights = weights or found[1]
    reason = ' '.join(str(error).split()) or 'no reason given'
    return (
        f'{tried} with weights {weights or "none"}: cannot be loaded: '
        f'{type(error).__name__}: {reason}; {local}'
    )


def find_in_index(name: str, scope: str) -> Optional[Tuple[str, str]]:
    """Config and weights of an alias or config name; None: not there."""
    for model in _index(scope):
        if name.lower() in (x.lower() for x in _model_names(model)):
            weights = model['Weights']
            weights = weights[0] if isinstance(weights, list) else weights
            return model['Config'], weights
    return None


def _index(scope: str) -> Iterator[dict]:
    folder = BaseInferencer._get_repo_or_mim_dir(scope)
    return BaseInferencer._get_models_from_metafile(folder)


def _model_names(model: dict) -> List[str]:
    aliases: Any = model.get('Alias', [])
    aliases = [aliases] if isinstance(aliases, str) else aliases
    return [model['Name'], *aliases]


def _names(scope: str) -> List[str]:
    return [name for model in _index(scope) for name in _model_names(model)]
