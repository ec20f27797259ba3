"""Folders of a person's own: what systems leave in them is nobody's data, and a user may have no home."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from explorer.classifiers import Download
from explorer.classifiers.bundled import ASSETS
from explorer.classifiers.own import own_cards
from explorer.commands.pictures import find_picture
from explorer.folders import cache_folder, visible
from explorer.images import from_uint8, load_image, picture_files, to_png
from explorer.samples import cifar10_folder, find_cifar10, find_sample

PNG = to_png(from_uint8(np.full((32, 32, 3), 7, np.uint8)))
LEFT_BEHIND = (".ipynb_checkpoints", "__MACOSX", ".git", "@eaDir", "$RECYCLE.BIN")


@pytest.fixture
def littered(tmp_path) -> Path:
    """Two classes of CIFAR-10 with a picture each, and all that systems and tools leave beside them."""
    for place in ("", "cat", "dog"):
        (tmp_path / place).mkdir(exist_ok=True)
        for name in LEFT_BEHIND:
            (tmp_path / place / name).mkdir()
            (tmp_path / place / name / "picture.png").write_bytes(b"no picture")
        for name in (".hidden.png", "._picture.png", "Thumbs.db", "desktop.ini"):
            (tmp_path / place / name).write_bytes(b"no picture")
    for name in ("cat", "dog"):
        (tmp_path / name / "picture.png").write_bytes(PNG)
        (tmp_path / name / "folder.png").mkdir()
    return tmp_path


def test_what_systems_leave_behind_is_not_seen(littered):
    assert [path.name for path in visible(littered)] == ["cat", "dog"]
    assert [path.name for path in picture_files(littered / "cat")] == ["picture.png"]
    assert find_cifar10(littered).labels.tolist() == [3, 5]


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"The folder .*nowhere cannot be read: No such file or directory\."):
        visible(tmp_path / "nowhere")


def test_a_browsers_own_jpeg_is_a_picture(tmp_path):
    for name in ("a.jfif", "b.JPG", "c.jpe", "d.txt"):
        (tmp_path / name).write_bytes(PNG)
    assert [path.name for path in picture_files(tmp_path)] == ["a.jfif", "b.JPG", "c.jpe"]


def test_hidden_weights_are_not_offered(tmp_path):
    for name in ("mine", "._mine", ".backup"):
        (tmp_path / f"{name}.safetensors").write_bytes(save({}))
        (tmp_path / f"{name}.json").write_bytes(b'{"architecture": "signs-cnn", "classes": "signs"}')
    assert [card.name for card in own_cards(tmp_path)] == ["own:mine"]
    assert own_cards(tmp_path / "nowhere") == []


def test_a_name_means_the_same_whatever_lies_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chelsea").mkdir()
    (tmp_path / "stop-1").write_bytes(PNG)
    (tmp_path / "mine").write_bytes(PNG)
    for name in ("chelsea", "stop-1"):
        assert find_picture(name).caption == find_sample(name).caption
    assert np.array_equal(find_picture("mine").image, load_image(PNG))
    with pytest.raises(ValueError, match=r"There is no picture 'nothing'"):
        find_picture("nothing")
    for name in ("./chelsea", "."):
        with pytest.raises(ValueError, match="is a folder: a picture file is expected"):
            find_picture(name)


def test_a_user_without_a_home_has_the_systems_folder(monkeypatch):
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("EXPLORER_CIFAR10", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert cache_folder() in cifar10_folder().parents
    assert find_cifar10(ASSETS / "nothing") is None
    monkeypatch.setattr(torch.hub, "get_dir", lambda: "~/.cache/torch/hub")
    path = Download("https://example.invalid/resnet18-f37072fd.pth", 1).path
    assert path == cache_folder() / "torch" / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
