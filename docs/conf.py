"""Settings of the documentation site, `make docs`; needs the extra [docs]."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

project = 'hanet_mm'
author = 'hanet_mm contributors'
copyright = author
version = release = re.search(
    "__version__ = '(.+)'",
    (ROOT / 'hanet_mm' / 'version.py').read_text(encoding='utf-8'),
).group(1)

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
]
exclude_patterns = ['_build']
html_theme = 'furo'
html_title = f'hanet_mm {release}'

myst_heading_anchors = 3
# Pages link to files of the repository, which are not part of the site.
suppress_warnings = ['myst.xref_missing']

autodoc_member_order = 'bysource'
autodoc_typehints = 'description'
autodoc_typehints_description_target = 'documented'
autodoc_default_options = {'show-inheritance': True}
napoleon_numpy_docstring = False
