"""Packaging of hanet_mm; settings of the tools are in pyproject.toml."""

import os
import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
# Installed beside the code, where OpenMMLab's tools look for them.
MIM_RESOURCES = ('configs', 'tools', 'model-index.yml')


def read_version():
    """Return ``__version__`` without importing the package (needs torch)."""
    text = (ROOT / 'hanet_mm' / 'version.py').read_text(encoding='utf-8')
    return re.search(r"^__version__ = '(.+)'$", text, re.MULTILINE).group(1)


def read_requirements(name):
    """Return the requirement lines of ``requirements/<name>.txt``."""
    path = ROOT / 'requirements' / f'{name}.txt'
    lines = path.read_text(encoding='utf-8').splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def index_description():
    """Return the README as a package index can show it.

    An index has neither the pictures nor the pages beside it: pictures go,
    and links to pages become their text. Absolute links stay.
    """
    text = (ROOT / 'README.md').read_text(encoding='utf-8')
    text = re.sub(r'^!\[[^]]*\]\((?!https?:)[^)]*\)\n', '', text, flags=re.M)
    return re.sub(r'(?<!!)\[([^]]*)\]\((?!https?:)[^)]*\)', r'\1', text)


def remove(path):
    """Remove a file, link or folder, if it is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


class BuildPyWithMim(build_py):
    """Add configs, tools and the model index as ``hanet_mm/.mim``.

    A wheel gets copies. An editable install gets links in the source tree
    (ignored by git), so that edits of a config are seen at once; on Windows,
    where links need a privilege, copies too.
    """

    def run(self):
        editable = getattr(self, 'editable_mode', False)
        package = (ROOT if editable else Path(self.build_lib)) / 'hanet_mm'
        if not editable:
            # A module of an earlier build that is gone by now would go in.
            remove(package)
        super().run()
        mim = package / '.mim'
        mim.mkdir(parents=True, exist_ok=True)
        for name in MIM_RESOURCES:
            source, target = ROOT / name, mim / name
            remove(target)
            if editable and os.name != 'nt':
                target.symlink_to(os.path.relpath(source, mim))
            elif source.is_dir():
                ignore = shutil.ignore_patterns('__pycache__')
                shutil.copytree(source, target, ignore=ignore)
            else:
                shutil.copy2(source, target)


# Each in requirements/<name>.txt.
EXTRAS = (
    *('mm', 'video', 'mediapipe', 'rtmlib', 'ultralytics', 'smpl'),
    *('filters', 'formats', 'plot', 'onnx', 'openvino'),
    *('demo', 'tests', 'docs'),
)
# Chosen one by one: what they need may not fit together.
ALONE = ('mediapipe', 'rtmlib', 'ultralytics', 'openvino')
extras = {name: read_requirements(name) for name in EXTRAS}
extras['all'] = [
    line for name in EXTRAS if name not in ALONE for line in extras[name]
]
setup(
    name='hanet_mm',
    version=read_version(),
    description='Refines pose sequences with HANet, alone or inside MMPose',
    long_description=index_description(),
    long_description_content_type='text/markdown',
    author='hanet_mm contributors',
    license='Apache-2.0',
    license_files=['LICENSE'],
    project_urls={'Paper': 'https://arxiv.org/abs/2211.15868'},
    keywords='human pose estimation, pose refinement, video, MMPose, HANet',
    classifiers=[
        'Development Status :: 4 - Beta',
        'Intended Audience :: Developers',
        'Intended Audience :: Science/Research',
        'License :: OSI Approved :: Apache Software License',
        'Operating System :: OS Independent',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.9',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
        'Topic :: Scientific/Engineering :: Image Recognition',
        'Typing :: Typed',
    ],
    python_requires='>=3.9',
    packages=find_packages(include=['hanet_mm', 'hanet_mm.*']),
    # The bundled refiners with their model cards, the parts of the page to
    # look at poses, and the mark of PEP 561.
    package_data={
        'hanet_mm': [
            'py.typed',
            'weights/*.safetensors',
            'weights/*.md',
            'visualization/page/*',
        ]
    },
    install_requires=read_requirements('core'),
    extras_require=extras,
    entry_points={
        'console_scripts': ['hanet-mm = hanet_mm.apis.cli:main'],
    },
    cmdclass={'build_py': BuildPyWithMim},
    zip_safe=False,
)
