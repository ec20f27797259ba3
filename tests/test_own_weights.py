"""One's own weights: loaded if they fit, refused in one sentence if not, and never run."""

import io
import json
import os
import pickle
import random
import struct
import tracemalloc
from pathlib import Path

import pytest
import torch
from own_networks import resnet20
from safetensors.torch import load, save
from torchvision import models

from explorer.classifiers import list_classifiers, load_classifier, load_own_weights, own_cards
from explorer.classifiers import own as own_module
from explorer.classifiers.bundled import ASSETS, read_manifest
from explorer.classifiers.imagenet import build
from explorer.classifiers.layouts import resnet_names
from explorer.evidence import methods_for

SIGNS = read_manifest()["signs-cnn"]
CONTENT = (ASSETS / SIGNS.file).read_bytes()
HEADER = int.from_bytes(CONTENT[:8], "little")
ENTRIES = json.loads(CONTENT[8 : 8 + HEADER])
DATA = CONTENT[8 + HEADER :]
IMAGE = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def own(content: bytes | Path = CONTENT, **options):
    return load_own_weights(content, "signs-cnn", "signs", **options)


def file_of(entries: dict, data: bytes = DATA) -> bytes:
    header = json.dumps(entries).encode()
    return struct.pack("<Q", len(header)) + header + data


def tensors() -> dict[str, torch.Tensor]:
    return load(CONTENT)


def test_a_bundled_classifiers_file_is_that_classifier():
    loaded, bundled = own(), load_classifier("signs-cnn", device="cpu")
    assert (loaded.dataset, loaded.class_names, loaded.input_size) == ("signs", bundled.class_names, (64, 64))
    assert torch.equal(loaded(IMAGE), bundled(IMAGE))
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_read_as_float32(dtype):
    cast = {name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in tensors().items()}
    loaded = own(save(cast))
    assert {tensor.dtype for tensor in loaded.network.state_dict().values()} == {torch.float32}
    torch.testing.assert_close(loaded(IMAGE), own()(IMAGE), rtol=0.05, atol=0.5)


def test_a_header_whose_length_looks_like_a_pickle_is_none():
    header = json.dumps(ENTRIES).encode().ljust(int.from_bytes(b"PK", "little"))
    content = struct.pack("<Q", len(header)) + header + DATA
    assert content.startswith(b"PK")
    assert torch.equal(own(content)(IMAGE), own()(IMAGE))


def test_counters_may_be_missing():
    kept = {name: tensor for name, tensor in tensors().items() if not name.endswith("num_batches_tracked")}
    assert len(kept) < len(tensors())
    assert torch.equal(own(save(kept))(IMAGE), own()(IMAGE))


def test_classes_normalisation_and_rotation_are_ones_own():
    names = [f"kind {i}" for i in range(18)]
    loaded = load_own_weights(CONTENT, "signs-cnn", names, (0.1, 0.2, 0.3), (0.5, 0.5, 0.5), (32, 48), rotated=True)
    assert (loaded.dataset, loaded.class_names, loaded.input_size) == ("custom", names, (32, 48))
    plain = load_own_weights(CONTENT, "signs-cnn", names, (0.1, 0.2, 0.3), (0.5, 0.5, 0.5), (32, 48))
    image = IMAGE[..., :32, :48]
    torch.testing.assert_close(loaded(image), plain(image.flip(2, 3)))
    assert "turn the picture" in methods_for(loaded, image[0])["grad_cam"]
    assert methods_for(plain, image[0])["grad_cam"] is None


def test_an_architecture_of_torchvision_takes_weights_for_other_classes():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = models.squeezenet1_1(num_classes=3).eval()
    loaded = load_own_weights(save(network.state_dict()), "squeezenet1_1", ["a", "b", "c"], input_size=(64, 64))
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    torch.testing.assert_close(loaded(IMAGE), network((IMAGE - mean) / std))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    (tmp_path / "mine.safetensors").write_bytes(CONTENT)
    (tmp_path / "mine.json").write_text('{"architecture": "signs-cnn", "classes": "signs"}')
    return tmp_path


def test_a_folder_of_weights_is_listed_and_loaded(folder):
    (folder / "nameless.safetensors").write_bytes(CONTENT)
    (card,) = [card for card in list_classifiers() if card.source == "own"]
    assert (card.name, card.dataset, card.input_size, card.parameters) == (
        "own:mine",
        "signs",
        (64, 64),
        SIGNS.parameters,
    )
    assert card.available
    assert card.attack_bytes > 4 * card.parameters
    for name in ("own:mine", str(folder / "mine.safetensors")):
        assert torch.equal(load_classifier(name, device="cpu")(IMAGE), own()(IMAGE))


@pytest.mark.parametrize(
    ("description", "says"),
    [
        (None, "need a description"),
        ("{", "is no valid JSON"),
        ("[" * 100_000, "is no valid JSON"),
        ("[]", "is to name the architecture"),
        ("{}", "is to name the architecture"),
        ('{"architecture": "signs-cnn", "code": "print(1)"}', "nothing but architecture"),
        ('{"architecture": "signs-cnn", "rotated": 1}', "is true or false"),
        ('{"architecture": "signs-cow"}', "There is no architecture 'signs-cow'"),
        (
            '{"architecture": "signs-cnn", "classes": "cows"}',
            "The classes are a list of names, or one of signs, cifar10, imagenet",
        ),
        ('{"architecture": "signs-cnn", "classes": [1, 2]}', "The classes are a list of names"),
        ('{"architecture": "signs-cnn", "classes": ["one"]}', "2 to 100,000 classes"),
        ('{"architecture": "signs-cnn", "classes": "signs", "mean": [1, 2]}', "mean is three numbers"),
        ('{"architecture": "signs-cnn", "classes": "signs", "std": [0, 1, 1]}', "std is three numbers"),
        ('{"architecture": "signs-cnn", "classes": "signs", "mean": [NaN, 0, 0]}', "mean is three numbers"),
        ('{"architecture": "signs-cnn", "classes": "signs", "input_size": [64, 1e9]}', "input_size is the height"),
        ('{"architecture": "signs-cnn", "classes": "signs", "input_size": [8, 8]}', "cannot take pictures of 8 × 8"),
        ('{"architecture": "signs-cnn", "classes": "imagenet"}', r"1 of another shape.*head\.weight|head\.weight"),
    ],
)
def test_a_description_that_makes_no_sense_is_a_sentence(description, says, folder):
    (folder / "mine.json").unlink()
    if description is not None:
        (folder / "mine.json").write_text(description)
    with pytest.raises(ValueError, match=says) as caught:
        load_classifier("own:mine")
    assert "\n" not in str(caught.value)
    list_classifiers()


@pytest.mark.parametrize("name", ["own:nobody", "own:../mine", "nobody.safetensors", "own:"])
def test_weights_that_are_not_there_are_a_sentence(name, folder):
    with pytest.raises(ValueError, match=r"There is no file|There is no classifier"):
        load_classifier(name)


def test_what_does_not_fit_is_reported():
    changed = tensors()
    changed["head.bias"] = changed["head.bias"][:5]
    changed["tail"] = changed.pop("head.weight")
    with pytest.raises(
        ValueError,
        match=r"1 missing \(head.weight\); 1 unexpected \(tail\); 1 of another .*float \[5\] instead of float \[18\]",
    ):
        own(save(changed))
    with pytest.raises(ValueError, match=r"10 unexpected \(\w+, \w+, \w+ and 7 more\)"):
        own(save(tensors() | {f"x{i}": torch.ones(1) for i in range(10)}))


class Evil:
    def __reduce__(self):
        return print, ("code was run",)


def torch_saved(what: object, zipped: bool = True) -> bytes:
    buffer = io.BytesIO()
    torch.save(what, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


def changed_header(chance: random.Random) -> bytes:
    """One entry is wrong about its type, its shape or its place, or is none."""
    entries = json.loads(json.dumps(ENTRIES))
    name = chance.choice([name for name in entries if name != "__metadata__"])
    entry = entries[name]
    first, last = entry["data_offsets"]
    kind = chance.randrange(7)
    if kind == 0:
        entry["shape"] = [chance.choice([2**31, 2**62, 2**80, -1, 1.5, "3", None, True]), *entry["shape"]]
    elif kind == 1:
        entry["data_offsets"] = [max(0, first - chance.randrange(1, 99)), last]  # overlaps, or does not fit
    elif kind == 2:
        entry["data_offsets"] = chance.choice(
            [[last, first + last + 1], [first], [], None, [first, 2**63], ["0", "1"], [-1, 3]]
        )
    elif kind == 3:
        entry["dtype"] = chance.choice(["F8_E4M3", "F128", "", None, 3, "C64", [], ["F32"], {}, "f32"])
    elif kind == 4:
        entries[name] = chance.choice([None, 1, "F32", [], {}, {"dtype": "F32"}])
    elif kind == 5:
        entries[f"{name}.copy"] = entry  # two tensors in one place
    else:
        del entries[name]
    return file_of(entries)


def bombs(chance: random.Random) -> bytes:
    """Little that says it is much."""
    side = 2 ** chance.randrange(10, 39)
    kind = chance.randrange(4)
    if kind == 0:
        shape = [side] * chance.randrange(1, 5)
        return file_of({name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 4]} for name in ENTRIES}, b"abcd")
    if kind == 1:
        return struct.pack("<Q", side) + CONTENT[8:]  # a giant header
    if kind == 2:
        deep = b"[" * chance.randrange(2_000, 50_000)
        return struct.pack("<Q", len(deep) + 5) + b'{"a":' + deep
    return file_of(
        {f"x{i}": {"dtype": "F32", "shape": [], "data_offsets": [0, 0]} for i in range(chance.randrange(4_000))}
    )


def broken_numbers(chance: random.Random) -> bytes:
    broken = tensors()
    name = chance.choice([name for name, tensor in broken.items() if tensor.is_floating_point()])
    broken[name].view(-1)[chance.randrange(broken[name].numel())] = chance.choice(
        [float("nan"), float("inf"), -float("inf")]
    )
    return save(broken)


def wrong_tensors(chance: random.Random) -> bytes:
    wrong = tensors()
    name = chance.choice(list(wrong))
    kind = chance.randrange(3) if wrong[name].is_floating_point() else 1
    if kind == 0:
        wrong[name] = wrong[name].to(chance.choice([torch.int64, torch.uint8, torch.bool]))
    elif kind == 1:
        wrong[name] = torch.ones(*wrong[name].shape, chance.randrange(2, 5), dtype=wrong[name].dtype)
    else:
        del wrong[name]
    return save(wrong)


def pickles(chance: random.Random) -> bytes:
    return chance.choice(
        [
            lambda: pickle.dumps(Evil(), protocol=chance.randrange(2, 6)),
            lambda: pickle.dumps(Evil(), protocol=0),
            lambda: torch_saved(Evil()),
            lambda: torch_saved(tensors(), zipped=False),
            lambda: torch_saved(tensors()),
        ]
    )()


def noise(chance: random.Random) -> bytes:
    content = bytearray(CONTENT)
    for _ in range(chance.randrange(1, 5)):
        content[chance.randrange(8, 8 + HEADER)] = chance.randrange(0, 32)  # no JSON has such bytes in it
    return bytes(content)


MALFORMED = {
    "cut off": (lambda chance: CONTENT[: chance.randrange(len(CONTENT))], 30),
    "too long": (lambda chance: CONTENT + chance.randbytes(chance.randrange(1, 99)), 10),
    "noise": (lambda chance: chance.randbytes(chance.randrange(0, 9999)), 20),
    "noise in the header": (noise, 20),
    "header": (changed_header, 50),
    "bombs": (bombs, 30),
    "NaN": (broken_numbers, 15),
    "other tensors": (wrong_tensors, 25),
    "pickles": (pickles, 20),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_files_are_refused_in_one_sentence(kind, capsys, tmp_path):
    """220 files in all."""
    make, count = MALFORMED[kind]
    for seed in range(count):
        content = make(random.Random(f"{kind} {seed}"))
        tracemalloc.start()
        with pytest.raises(ValueError, match=r"^[A-Z\w][^\n]*\.$") as caught:
            own(content)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert caught.type is ValueError, seed
        assert len(str(caught.value)) < 1000
        assert peak < 20e6 + 30 * len(content), seed
    assert "code was run" not in capsys.readouterr().out


def test_a_pickle_is_told_so(tmp_path):
    for content in (pickle.dumps(Evil()), torch_saved(Evil())):
        (tmp_path / "evil.safetensors").write_bytes(content)
        with pytest.raises(ValueError, match="is a pickle"):
            own(tmp_path / "evil.safetensors")


def test_a_file_that_is_too_large_is_not_even_read(tmp_path):
    path = tmp_path / "large.safetensors"
    with path.open("wb") as file:
        file.truncate(700 * 10**6)
    with pytest.raises(ValueError, match="The file has 700 MB; at most 600 are read"):
        own(path)
    with pytest.raises(ValueError, match="at most 0 are read"):
        own(CONTENT, max_bytes=1000)


def test_weights_that_make_no_sense_together_are_refused():
    broken = tensors()
    name = next(name for name in broken if name.endswith("running_var"))
    broken[name].fill_(-5.0)
    with pytest.raises(ValueError, match="no working signs-cnn: its logits are not finite"):
        own(save(broken))


PREFIXES = ("module.", "model.", "_orig_mod.", "state_dict.", "state_dict.model.", "module._orig_mod.", "net.features.")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_stands_before_all_names_is_left_out_and_said(prefix):
    named = {f"{prefix}{name}": tensor for name, tensor in tensors().items()}
    loaded = own(save(named))
    assert torch.equal(loaded(IMAGE), own()(IMAGE))
    assert loaded.remark == f'"{prefix}" was left out before all {len(named)} names.'
    assert own().remark == ""
    with pytest.raises(ValueError, match=r"do not fit the architecture: 1 missing \(head.bias\)\."):
        own(save({name: tensor for name, tensor in named.items() if not name.endswith("head.bias")}))


def test_a_prefix_that_not_all_names_have_is_none():
    with pytest.raises(ValueError, match=r"1 unexpected|missing"):
        own(save({f"module.{name}": tensor for name, tensor in tensors().items()} | {"extra": torch.ones(1)}))


@pytest.mark.parametrize(("prefix", "last"), [("", "linear"), ("module.", "linear"), ("", "fc")])
def test_the_well_known_resnet20_of_cifar10_is_taken_for_what_it_is(prefix, last):
    network = resnet20()
    named = {f"{prefix}{name.replace('linear', last)}": tensor for name, tensor in network.state_dict().items()}
    loaded = load_own_weights(save(named), "cifar-resnet20", "cifar10", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(loaded(images), network(images), rtol=1e-4, atol=1e-4)
    assert (
        "conv1.weight for stem.0.weight, …) were taken for those of the same layers here, and its shortcuts"
        in loaded.remark
    )
    assert loaded.remark.startswith('"module."') == bool(prefix)


def test_every_tensor_is_told_by_both_names():
    named = {f"module.{name}": tensor for name, tensor in resnet20().state_dict().items()}
    mapped = load_own_weights(save(named), "cifar-resnet20", "cifar10").mapped
    by_theirs = {each.theirs: each for each in mapped if each.theirs}
    assert by_theirs.keys() == named.keys()
    assert by_theirs["module.layer2.0.conv1.weight"].ours == "stages.3.body.0.weight"
    assert by_theirs["module.linear.weight"].shape == (10, 64)
    made = [each.ours for each in mapped if not each.theirs]
    assert {name.rpartition(".shortcut.")[0] for name in made} == {"stages.3", "stages.6"}
    assert not any(name.startswith("stages.0.") for name in made)
    assert [(each.theirs, each.shape) for each in own().mapped if each.theirs != each.ours] == []


@pytest.mark.parametrize("container", ["state_dict.", "model_state_dict.module.", "model."])
def test_weights_inside_a_checkpoint_are_read_and_the_rest_is_told(container):
    named = {f"{container}{name}": tensor for name, tensor in tensors().items()}
    loaded = own(save(named | {"optimizer.state.0.exp_avg": torch.ones(3), "epoch": torch.tensor(7)}))
    assert torch.equal(loaded(IMAGE), own()(IMAGE))
    assert "2 other tensors of the file were left out" in loaded.remark
    assert {each.theirs for each in loaded.mapped if not each.ours} == {"optimizer.state.0.exp_avg", "epoch"}
    del named[f"{container}head.bias"]
    with pytest.raises(ValueError, match=r"do not fit the architecture"):
        own(save(named | {"epoch": torch.tensor(7)}))


def test_the_layout_of_pytorchcv_is_known():
    theirs = ["features.init_block.conv.weight", "features.init_block.bn.bias", "output.bias"]
    theirs += ["features.stage1.unit1.body.conv1.conv.weight", "features.stage1.unit2.body.conv2.bn.running_mean"]
    theirs += ["features.stage2.unit1.identity_conv.conv.weight", "features.stage2.unit1.identity_conv.bn.weight"]
    ours = ["stem.0.weight", "stem.1.bias", "head.bias", "stages.0.body.0.weight", "stages.1.body.4.running_mean"]
    ours += ["stages.2.shortcut.0.weight", "stages.2.shortcut.1.weight"]
    assert resnet_names(theirs) == dict(zip(theirs, ours, strict=True))


def test_two_tensors_for_one_place_are_no_known_layout():
    named = dict(resnet20().state_dict())
    with pytest.raises(ValueError, match="do not fit"):
        load_own_weights(save(named | {"fc.weight": torch.zeros(10, 64)}), "cifar-resnet20", "cifar10")


def test_shortcuts_with_weights_keep_them():
    named = {"conv1.weight": "stem.0.weight", "bn1.weight": "stem.1.weight", "fc.bias": "head.bias"}
    named |= {"layer2.0.downsample.0.weight": "stages.1.shortcut.0.weight", "layer1.0.bn2.bias": "stages.0.body.4.bias"}
    assert resnet_names(named) == named
    assert resnet_names(["x", "layer1.0.other.weight"]) == {"x": "x", "layer1.0.other.weight": "stages.0.other.weight"}


@pytest.mark.parametrize("architecture", ["googlenet", "inception_v3"])
@pytest.mark.parametrize("heads", [True, False])
def test_heads_that_only_training_uses_may_be_missing(architecture, heads):
    network = build(architecture, 4).to_empty(device="cpu")
    weights = {name: torch.full_like(tensor, 0.01) for name, tensor in network.state_dict().items()}
    kept = {name: tensor for name, tensor in weights.items() if heads or not name.startswith(("aux", "Aux"))}
    assert heads == (len(kept) == len(weights))
    loaded = load_own_weights(save(kept), architecture, list("abcd"), input_size=(96, 96))
    assert loaded(torch.rand(1, 3, 96, 96)).shape == (1, 4)
    assert loaded.remark == ("The auxiliary heads, which only training uses, were left out." if heads else "")


@pytest.mark.parametrize("dtype", [torch.complex64, torch.float8_e4m3fn, torch.uint16])
def test_numbers_that_no_network_has_are_a_sentence(dtype):
    with pytest.raises(
        ValueError, match=r"^The file holds numbers of type torch\.\w+: floating-point numbers or integers"
    ):
        own(save(tensors() | {"odd": torch.zeros(2).to(dtype)}))


def test_a_type_that_is_no_text_is_a_sentence():
    entries = json.loads(json.dumps(ENTRIES))
    entries["head.bias"]["dtype"] = ["F32"]
    with pytest.raises(
        ValueError, match=r"^The file is no safetensors file, or it breaks off \(invalid JSON in header"
    ):
        own(file_of(entries))


def described(folder: Path, name: str = "mine", **more) -> Path:
    (folder / f"{name}.json").write_text(json.dumps({"architecture": "signs-cnn", "classes": "signs", **more}))
    path = folder / f"{name}.safetensors"
    path.write_bytes(CONTENT)
    return path


def test_a_description_is_read_once_until_it_changes(tmp_path, monkeypatch):
    path = described(tmp_path)
    (tmp_path / "bad.json").write_text("no JSON" * 1000)
    (tmp_path / "bad.safetensors").write_bytes(CONTENT)
    read, read_card = [], own_module._read_card
    monkeypatch.setattr(own_module, "_read_card", lambda path: read.append(path.stem) or read_card(path))
    for _drawn in range(3):
        (card,) = own_cards(tmp_path)
    assert sorted(read) == ["bad", "mine"], "neither of them again"
    described(tmp_path, mean=[0.1, 0.2, 0.3], rotated=True)
    (other,) = own_cards(tmp_path)
    assert read.count("mine") == 2
    assert card.files == other.files == (path, path.with_suffix(".json"))


def test_other_weights_or_another_meaning_of_them_are_another_content(tmp_path):
    path = described(tmp_path)
    (card,) = own_cards(tmp_path)
    contents = [card.content]
    path.write_bytes(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
    os.utime(path, ns=(1, 1))
    contents.append(card.content)
    described(tmp_path, rotated=True)
    contents.append(card.content)
    path.unlink()
    contents.append(card.content)
    assert len({*contents}) == 4
    described(tmp_path)
    assert card.content == contents[0], "the same bytes are the same network"
