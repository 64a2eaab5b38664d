"""Calls that write files are noticed, and others are not taken for them."""

import pytest

from writing import writing_calls


@pytest.mark.parametrize(
    "call",
    [
        "open(path, 'w')",
        "open(path, mode='ab')",
        "open(path, 'xb' if new else 'r+b')",
        "open(path, how)",
        "path.open('w', encoding='utf-8')",
        "path.open(mode='a+')",
        "path.open('r+b' if start else 'wb')",
        "path.open(mode=how)",
        "import gzip; gzip.open(path, 'wt')",
        "from io import open as opened; opened(path, 'w')",
        "import os; os.fdopen(handle, 'wb')",
        "import os; os.open(path, os.O_WRONLY)",
        "import os; os.replace(one, other)",
        "from os import rename; rename(one, other)",
        "path.rename(other)",
        "path.replace(other)",
        "path.write_text(text)",
        "path.write_bytes(content)",
        "path.touch()",
        "path.symlink_to(other)",
        "import shutil; shutil.copy(one, other)",
        "from shutil import copyfile as take; take(one, other)",
        "import shutil as s; s.move(one, other)",
        "import numpy as np; np.save(path, array)",
        "import numpy; numpy.savez_compressed(path, a=array)",
        "array.tofile(path)",
        "import numpy as np; np.lib.format.open_memmap(path)",
        "import numpy as np; np.memmap(path, mode='w+')",
        "import json; json.dump(value, file)",
        "from pickle import dump; dump(value, file)",
        "import zipfile; zipfile.ZipFile(path, 'w')",
        "import zipfile; zipfile.ZipFile(path, mode='a')",
        "archive.extract(member, path)",
        "archive.extractall(path)",
        "import tarfile; tarfile.open(path, 'w:gz')",
        "import tempfile; tempfile.mkstemp()",
        "from tempfile import NamedTemporaryFile; NamedTemporaryFile()",
        "from tempfile import TemporaryDirectory; TemporaryDirectory()",
        "figure.savefig(path)",
        "from safetensors.numpy import save_file; save_file(tensors, path)",
    ],
)
def test_every_way_to_write_a_file_is_noticed(call: str) -> None:
    assert len(writing_calls(f"def write():\n    {call}\n")) == 1


@pytest.mark.parametrize(
    "call",
    [
        "open(path)",
        "open(path, 'rb')",
        "open('wax')",
        "path.open(encoding='utf-8')",
        "path.open('r')",
        "archive.open(member)",
        "import gzip; gzip.open(path)",
        "import tarfile; tarfile.open(fileobj=file, mode='r:')",
        "import zipfile; zipfile.ZipFile(path)",
        "import numpy as np; np.memmap(path, mode='r')",
        "import json; json.dumps(value)",
        "from unrolled.storage import write_text; write_text(path, text)",
        "from safetensors.numpy import save; save(tensors)",
        "text.replace(one, other)",
        "from dataclasses import replace; replace(record, a=1)",
        "array.copy()",
        "import shutil; shutil.rmtree(path)",
        "import shutil; shutil.copyfileobj(one, other)",
    ],
)
def test_what_writes_no_file_is_not_taken_for_it(call: str) -> None:
    assert writing_calls(f"def read():\n    {call}\n") == []
