"""Pictures beside the bundled signs: photographs of a package, CIFAR-10 from a folder or from its official files."""

import hashlib
import pickle
import socket
import tarfile

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10

from explorer.fetching import FetchFailed
from explorer.images import from_uint8, to_png
from explorer.samples import cifar10, cifar10_folder, download_cifar10, find_cifar10, find_sample, gallery, photographs
from explorer.samples.cifar10 import CLASS_NAMES


@pytest.fixture
def pictures(tmp_path):
    """A folder of 3 pictures per class, in which every picture is told by its colours."""
    for label, name in enumerate(CLASS_NAMES):
        (tmp_path / "test" / name.lower()).mkdir(parents=True)
        for number in range(3):
            picture = np.full((32, 32, 3), (label, number, 7), np.uint8)
            (tmp_path / "test" / name.lower() / f"{number:04d}.png").write_bytes(to_png(from_uint8(picture)))
    return tmp_path


@pytest.fixture
def official(tmp_path, monkeypatch):
    """An archive as torchvision's, small; what is checked of it, and where it comes from, is put to this one."""
    rng = np.random.default_rng(0)
    source = tmp_path / "source" / CIFAR10.base_folder
    source.mkdir(parents=True)

    def write(name: str, content: dict) -> str:
        data = pickle.dumps(content)
        (source / name).write_bytes(data)
        return hashlib.md5(data).hexdigest()

    batch = {"data": rng.integers(0, 256, (40, 3072), np.uint8), "labels": [number % 10 for number in range(40)]}
    monkeypatch.setattr(CIFAR10, "train_list", [["data_batch_1", write("data_batch_1", batch)]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", write("test_batch", batch)]])
    names = [name.lower() for name in CLASS_NAMES]
    meta = {**CIFAR10.meta, "md5": write("batches.meta", {"label_names": names})}
    monkeypatch.setattr(CIFAR10, "meta", meta)
    archive = tmp_path / "source" / CIFAR10.filename
    with tarfile.open(archive, "w:gz") as file:
        file.add(source, CIFAR10.base_folder)
    monkeypatch.setattr(CIFAR10, "url", archive.as_uri())
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    return batch


def test_photographs_are_there_without_a_network(monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *_args, **_more: pytest.fail("it asked the network"))
    photographs.cache_clear()
    found = photographs()
    assert {"astronaut", "chelsea", "coffee", "rocket"} <= {sample.name for sample in found}
    assert len({sample.name for sample in (*found, *gallery())}) == len(found) + len(gallery())
    for sample in found:
        assert min(sample.image.shape[1:]) >= 224
        assert torch.equal((sample.image * 255).round() / 255, sample.image)
        assert sample.caption
        assert sample.label_for("imagenet") is None


def test_a_photograph_that_is_gone_is_one_sentence(monkeypatch):
    monkeypatch.setitem(photographs.__wrapped__.__globals__, "_FILES", {"nothing": ("nothing.png", "Nothing")})
    photographs.cache_clear()
    with pytest.raises(RuntimeError, match=r"nothing\.png .* cannot be read"):
        photographs()
    monkeypatch.undo()
    photographs.cache_clear()


def test_a_label_counts_only_for_its_own_data_set():
    stop = find_sample("stop-1")
    assert stop.label_for("signs") == 0 == stop.label
    assert [stop.label_for(other) for other in ("cifar10", "imagenet", "custom", "")] == [None] * 4


def test_a_folder_of_pictures_per_class_is_read(pictures):
    found = find_cifar10(pictures)
    assert len(found) == 30
    for number in range(30):
        sample = found.sample(number)
        assert sample.label == sample.label_for("cifar10") == int(found.labels[number])
        assert sample.image[0, 0, 0] * 255 == sample.label
        assert sample.caption.startswith(CLASS_NAMES[sample.label])
        assert torch.equal(found.find(sample.name).image, sample.image)
    assert find_cifar10(pictures / "test").labels.tolist() == found.labels.tolist()
    assert [found.find(name) for name in ("cifar10-30", "cifar10-", "cifar10--1", "cifar10-x", "stop-1")] == [None] * 5


def test_a_choice_is_seeded_balanced_and_grows(pictures):
    found = find_cifar10(pictures)
    chosen = found.choose(10, seed=3)
    assert chosen == found.choose(10, seed=3) == found.choose(25, seed=3)[:10]
    assert found.choose(30, seed=3) != found.choose(30, seed=4)
    assert sorted(found.labels[chosen]) == list(range(10))
    assert sorted(found.choose(99, seed=0)) == list(range(30))
    assert set(found.labels[found.choose(99, seed=0, label=4)]) == {4}


def test_the_folder_is_the_named_one_or_the_users_cache(monkeypatch, tmp_path, pictures):
    monkeypatch.delenv(cifar10.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cifar10_folder() == tmp_path / "cache" / "sparse-attack-explorer" / "cifar10"
    assert find_cifar10() is None
    with pytest.raises(ValueError, match="There is no picture 'cifar10-3'"):
        find_sample("cifar10-3")
    monkeypatch.setenv(cifar10.VARIABLE, str(pictures))
    assert cifar10_folder() == pictures
    assert find_sample("cifar10-3").label == 1


def test_what_is_no_class_or_no_picture_is_said(pictures):
    (pictures / "test" / "car").mkdir()
    cifar10._folders.cache_clear()
    with pytest.raises(ValueError, match=r"car is no class of CIFAR-10: .* airplane"):
        find_cifar10(pictures)
    (pictures / "test" / "car").rmdir()
    (pictures / "test" / "airplane" / "0000.png").write_bytes(b"no picture")
    cifar10._folders.cache_clear()
    with pytest.raises(ValueError, match=r"0000\.png: The file cannot be read as a picture"):
        find_cifar10(pictures).sample(0)


def test_folders_without_pictures_are_said(tmp_path):
    (tmp_path / "airplane").mkdir()
    with pytest.raises(ValueError, match="hold no pictures"):
        find_cifar10(tmp_path)


def test_the_official_files_are_fetched_checked_and_read(official, tmp_path):
    folder, told = tmp_path / "new", []
    assert find_cifar10(folder) is None
    assert download_cifar10(lambda *each: told.append(each), lambda: False, folder)
    assert told
    assert [path.name for path in folder.iterdir()] == [CIFAR10.base_folder], "the archive is not kept"
    found = find_cifar10(folder)
    assert found.labels.tolist() == official["labels"]
    assert find_cifar10(folder, train=True).labels.tolist() == official["labels"]
    picture = official["data"][7].reshape(3, 32, 32)
    assert np.array_equal(found.sample(7).image.numpy(), (picture.astype(np.float32) / 255))


def test_a_download_that_is_stopped_or_comes_damaged_leaves_nothing(official, tmp_path, monkeypatch):
    folder = tmp_path / "new"
    assert not download_cifar10(lambda *_: None, lambda: True, folder)
    assert list(folder.iterdir()) == []
    monkeypatch.setattr(CIFAR10, "tgz_md5", "0" * 32)
    with pytest.raises(FetchFailed, match=rf"damaged.* Put {CIFAR10.filename}.* into .*new.* EXPLORER_CIFAR10"):
        download_cifar10(lambda *_: None, lambda: False, folder)
    assert list(folder.iterdir()) == []


def test_official_files_that_were_changed_are_never_unpickled(official, tmp_path):
    folder = tmp_path / "new"
    download_cifar10(lambda *_: None, lambda: False, folder)

    class Trap:
        def __reduce__(self):
            return pytest.fail, ("it was unpickled",)

    (folder / CIFAR10.base_folder / "test_batch").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match="damaged or incomplete"):
        find_cifar10(folder)
