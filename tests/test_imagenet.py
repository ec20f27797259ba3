"""torchvision's classifiers: known without a network, fetched when asked, checked, the same function when folded."""

import hashlib
import pickle

import pytest
import torch
from torch import nn
from torchvision import models

from explorer import fetching
from explorer.classifiers import CLASSIFIERS, Download, find_card, load_classifier, torchvision_names
from explorer.classifiers.folding import fold_batch_norm
from explorer.classifiers.imagenet import build
from explorer.evidence import methods_for

TORCHVISION = [name for name, card in CLASSIFIERS.items() if card.source == "torchvision"]


GOOGLENET = "torchvision:googlenet"  # two branches that only its training used are in its file, but are not counted


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    """An empty folder in the place where torch looks for weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path / "hub" / "checkpoints"


@pytest.fixture
def squeezenet(checkpoints):
    """Weights of its own for the smallest network."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = models.squeezenet1_1(weights=None)
    path = find_card("squeezenet1_1").download.path
    path.parent.mkdir(parents=True)
    torch.save(network.state_dict(), path)
    return network.eval()


@pytest.mark.parametrize("name", [*TORCHVISION, "torchvision:regnet_y_400mf", "torchvision:inception_v3"])
def test_a_card_tells_what_is_needed(name, checkpoints):
    card = find_card(name)
    assert (card.name, card.dataset, card.source) == (name, "imagenet", "torchvision")
    assert not card.available
    assert card.download.path.parent == checkpoints
    assert card.download.url.startswith("https://")
    assert card.parameters == sum(parameter.numel() for parameter in card.build().parameters())
    assert card.download.n_bytes == pytest.approx(4 * card.parameters, rel=0.2)
    assert 0.5 < card.accuracy < 1
    assert 4 * card.parameters < card.attack_bytes < 10e9


@pytest.mark.parametrize("name", torchvision_names())
def test_every_other_classifier_of_torchvision_can_be_had(name):
    state, card = torch.random.get_rng_state(), find_card(name)
    network = card.build()
    counted = [each.numel() for key, each in network.named_parameters() if name != GOOGLENET or "aux" not in key]
    assert card.parameters == sum(counted)
    assert all(tensor.is_meta for tensor in network.state_dict().values())
    assert torch.equal(torch.random.get_rng_state(), state)
    assert {key for key, _ in network.named_buffers()} <= {*network.state_dict()}, "or it would stay without numbers"


def test_missing_weights_are_a_sentence_with_file_folder_and_cure(checkpoints):
    says = (
        rf"resnet18-f37072fd\.pth \(47 MB\) .* {checkpoints}\. Put https://.* or choose signs-resnet, .* no download\.$"
    )
    with pytest.raises(RuntimeError, match=says):
        load_classifier("resnet18")
    assert not checkpoints.exists()


def test_an_architecture_that_torchvision_does_not_have_is_a_sentence():
    with pytest.raises(ValueError, match="torchvision has no classifier 'resnet19'"):
        load_classifier("torchvision:resnet19")


def test_weights_that_are_there_are_loaded(squeezenet):
    clf = load_classifier("squeezenet1_1", device="cpu")
    assert find_card("torchvision:squeezenet1_1").available
    assert (clf.input_size, clf.dataset, len(clf.class_names)) == ((224, 224), "imagenet", 1000)
    assert clf.class_names[388] == "giant panda"
    assert not any(getattr(module, "inplace", False) for module in clf.modules())
    assert not any(parameter.requires_grad for parameter in clf.parameters())
    image = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    transforms = models.SqueezeNet1_1_Weights.DEFAULT.transforms()
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (transforms.mean, transforms.std))
    with torch.no_grad():
        torch.testing.assert_close(clf(image), squeezenet((image - mean) / std))


class Evil:
    def __reduce__(self):
        return print, ("code was run",)


@pytest.mark.parametrize(
    "content",
    [b"", b"no weights", pickle.dumps(Evil(), protocol=2), pickle.dumps({"features": 1}, protocol=2)],
    ids=["empty", "text", "code", "other"],
)
def test_damaged_weights_are_a_sentence_and_run_nothing(content, squeezenet, capsys):
    find_card("squeezenet1_1").download.path.write_bytes(content)
    with pytest.raises(RuntimeError, match=r"damaged, or no file of weights of squeezenet1_1: remove it .*\.$"):
        load_classifier("squeezenet1_1")
    assert "code was run" not in capsys.readouterr().out


def test_weights_of_another_network_are_a_sentence(squeezenet):
    torch.save({"weight": torch.ones(3)}, find_card("squeezenet1_1").download.path)
    with pytest.raises(RuntimeError, match="no file of weights of squeezenet1_1"):
        load_classifier("squeezenet1_1")


class Answer:
    """A server's, from memory."""

    def __init__(self, content: bytes) -> None:
        self.content, self.headers = content, {"Content-Length": str(len(content))}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def read(self, n: int) -> bytes:
        some, self.content = self.content[:n], self.content[n:]
        return some


CONTENT = bytes(range(256)) * 1000


def served(monkeypatch, content: bytes = CONTENT) -> Download:
    monkeypatch.setattr(fetching, "_open", lambda url: Answer(content))
    return Download(f"https://weights.example/net-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth", len(CONTENT))


def test_a_download_is_watched_checked_and_whole(checkpoints, monkeypatch):
    download, heard = served(monkeypatch), []
    assert download.fetch(lambda *each: heard.append(each), lambda: False)
    assert download.here
    assert download.found().read_bytes() == CONTENT
    assert heard[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in checkpoints.iterdir()] == [download.path.name]


def test_a_stopped_download_leaves_nothing(checkpoints, monkeypatch):
    download = served(monkeypatch)
    assert not download.fetch(lambda *each: None, lambda: True)
    assert list(checkpoints.iterdir()) == []


def test_another_file_is_refused_and_not_kept(checkpoints, monkeypatch):
    download = served(monkeypatch, CONTENT[:-1])
    with pytest.raises(RuntimeError, match=r"its SHA256 is not \w{8}\. Put https://weights.example/"):
        download.fetch(lambda *each: None, lambda: False)
    assert list(checkpoints.iterdir()) == []


def test_no_connection_is_a_sentence_with_the_alternative(checkpoints, monkeypatch):
    def nobody(url):
        raise TimeoutError

    monkeypatch.setattr(fetching, "_open", nobody)
    with pytest.raises(
        RuntimeError, match=rf"^resnet18-f37072fd.pth cannot be downloaded.*{checkpoints}, or choose signs-"
    ):
        find_card("resnet18").download.fetch(lambda *each: None, lambda: False)


# 62 of DenseNet's stand before a convolution that others use as well; nothing is left of the others' but those two.
@pytest.mark.parametrize(
    ("architecture", "left"), [("resnet18", 0), ("mobilenet_v3_small", 0), ("shufflenet_v2_x0_5", 0), ("googlenet", 2)]
)
def test_folding_keeps_the_function_and_the_places_of_modules(architecture, left):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build(architecture, 10).to_empty(device="cpu").eval()
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                nn.init.normal_(tensor, std=0.1)
            if name.endswith("running_var") or (tensor.ndim == 1 and name.endswith("weight")):
                tensor.uniform_(0.5, 1.5)
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    names = [name for name, _ in network.named_modules()]
    with torch.no_grad():
        before = network(images)
        after = fold_batch_norm(network)(images)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)
    assert [name for name, _ in network.named_modules()] == names
    assert sum(isinstance(module, nn.BatchNorm2d) for module in network.modules()) == left


class Split(nn.Module):
    """A convolution that somebody else uses, too; and one whose course depends on its input."""

    def __init__(self, depends: bool) -> None:
        super().__init__()
        self.depends = depends
        self.conv, self.norm, self.free = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.BatchNorm2d(3)

    def forward(self, x):
        if self.depends and x.sum() > 1e9:
            return x
        y = self.conv(x)
        return self.norm(y) + y + self.free(x)


@pytest.mark.parametrize("depends", [True, False])
def test_what_cannot_be_folded_stays(depends):
    network = Split(depends).eval()
    network.norm.running_mean.fill_(0.3)
    images = torch.rand(1, 3, 4, 4)
    before = network(images)
    assert fold_batch_norm(network) is network
    torch.testing.assert_close(network(images), before)
    assert isinstance(network.norm, nn.BatchNorm2d)


def test_grad_cam_still_finds_its_layer_in_a_folded_network():
    network = fold_batch_norm(build("resnet18", 10).to_empty(device="cpu").eval())
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.01)
    problems = methods_for(network, torch.rand(3, 64, 64))
    assert problems["grad_cam"] is None
    assert problems["integrated_gradients"] is None
