"""Transfer: on networks whose answers are known by hand, as a command, and with bad input."""

import csv
import math
import threading
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from explorer.__main__ import main
from explorer.attacks import Greedy, SparseAttack
from explorer.classifiers import load_classifier
from explorer.classifiers.ensemble import Ensemble
from explorer.commands.pictures import labelled
from explorer.locks import exclusive
from explorer.numerics import Share
from explorer.studies.transfer import PARTS, Transfer

SIDE = 4
QUICK = SparseAttack(steps=20)


class Corner(nn.Module):
    """Class 1 where one pixel is bright, and class 0 elsewhere."""

    def __init__(self, row: int = 0, col: int = 0) -> None:
        super().__init__()
        self.row, self.col = row, col
        self.class_names, self.input_size = ["Dark", "Bright"], (SIDE, SIDE)

    def forward(self, images):
        light = 10 * images[:, :, self.row, self.col].mean(1)
        return torch.stack([5 - light, light - 5], 1)


class Always(Corner):
    """Says one class to every picture."""

    def __init__(self, label: int) -> None:
        super().__init__()
        self.label = label

    def forward(self, images):
        return 3 * nn.functional.one_hot(torch.tensor([self.label]), 2).float() + 0 * images.mean((1, 2, 3))[:, None]


def dark_and_bright(n: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    labels = torch.arange(n) % 2
    return labels.float()[:, None, None, None].expand(n, 3, SIDE, SIDE).clone(), labels


def finished(networks: dict[str, nn.Module], **more) -> Transfer:
    transfer = Transfer(networks, *dark_and_bright(), {"sparse": QUICK}, **more)
    while transfer.advance():
        pass
    assert transfer.done == transfer.total
    return transfer


def test_identical_networks_are_fooled_by_every_whole_change():
    transfer = finished({"one": Corner(), "same": Corner()})
    for cell in transfer.cells("sparse"):
        assert cell.fooled["whole"] == Share(4, 4)
        assert [shot.picture for shot in cell.shots] == [0, 1, 2, 3]
    assert transfer.success("sparse", "one") == Share(4, 4)
    assert transfer.mean_pixels("sparse", "one") == 1


def test_all_but_one_are_attacked_together():
    """Whoever looks at the first pixel alone is fooled by what fools two others that do, and by nothing else."""
    networks = {"one": Corner(), "same": Corner(), "last": Corner(3, 3)}
    transfer = finished(networks, together=True)
    assert [*transfer.sources] == [*networks, "all but one", "all but same", "all but last"]
    assert [*transfer.networks] == [*networks]
    assert transfer.left_out("all but last", "last")
    assert not transfer.left_out("all but last", "one")
    assert transfer.cell("sparse", "all but last", "last").fooled["whole"] == Share(0, 4)
    for target in ("one", "same"):
        assert transfer.cell("sparse", "all but last", target).fooled["whole"] == Share(4, 4)
    assert transfer.success("sparse", "all but one") == Share(4, 4), "its members' mean is fooled"
    assert len(transfer.cells("sparse")) == 6 * 3


def test_an_ensemble_has_the_mean_of_its_members_probabilities():
    images, _ = dark_and_bright()
    members = [Corner(), Corner(3, 3), Always(1)]
    probabilities = torch.stack([member(images).softmax(1) for member in members]).mean(0)
    ensemble = Ensemble(members)
    assert torch.allclose(ensemble(images).softmax(1), probabilities, atol=1e-6)
    assert ensemble.class_names == ["Dark", "Bright"]
    with pytest.raises(ValueError, match="one network or more; got none"):
        Ensemble([])


def test_who_has_an_ensemble_alone_has_its_members_alone():
    members, free = [Corner(), Corner(3, 3)], []

    def look() -> None:
        for member in members:
            if taken := exclusive(member).acquire(timeout=0.05):
                exclusive(member).release()
            free.append(taken)

    for hold in (Ensemble(members).alone(), nullcontext()):
        with hold:
            (thread := threading.Thread(target=look)).start()
            thread.join()
    assert free == [False, False, True, True]


def test_two_networks_leave_none_out():
    with pytest.raises(ValueError, match="three networks or more to attack some together; got one, same"):
        finished({"one": Corner(), "same": Corner()}, together=True)


def test_a_network_that_does_not_look_at_the_changed_pixels_is_never_fooled():
    transfer = finished({"first": Corner(0, 0), "last": Corner(3, 3)})
    for source, target in (("first", "last"), ("last", "first")):
        fooled = transfer.cell("sparse", source, target).fooled
        assert fooled == dict.fromkeys(PARTS, Share(0, 4))


def test_one_kind_of_pixels_is_shown_with_the_other_kind_put_back():
    """The one changed pixel has a kind, so one of the parts is the whole change, and the other is the clean picture."""
    transfer = finished({"one": Corner(), "same": Corner()})
    for shot in transfer.shots("sparse", "one"):
        assert sorted((shot.n_pixels["obscuring"], shot.n_pixels["leading"])) == [0, 1]
        for part in ("obscuring", "leading"):
            assert (shot.seen["same"][part] != shot.label) == (shot.n_pixels[part] == 1)


def test_only_what_both_see_correctly_counts():
    transfer = finished({"corner": Corner(), "dark": Always(0)}, batch=3)
    cell = transfer.cell("sparse", "corner", "dark")
    assert [shot.picture for shot in cell.shots] == [0, 2], "the bright ones are mistaken without an attack"
    assert cell.fooled["whole"] == Share(0, 2)
    assert transfer.success("sparse", "dark") == Share(0, 2), "nothing fools it"
    empty = transfer.cell("sparse", "dark", "corner").fooled["whole"]
    assert (empty.of, empty.interval) == (0, (0.0, 1.0))
    assert math.isnan(empty.value)


def test_each_picture_is_attacked_once_per_network_and_a_stopped_part_is_done_again(monkeypatch):
    calls = []
    attack = type(QUICK).__call__

    def counted(self, network, images, labels, **more):
        calls.append(len(images))
        return attack(self, network, images, labels, **more)

    monkeypatch.setattr(type(QUICK), "__call__", counted)
    transfer = Transfer(
        {"one": Corner(), "two": Corner(3, 3), "three": Corner(1, 1)}, *dark_and_bright(), {"sparse": QUICK}, batch=4
    )
    assert transfer.advance(lambda step: True)
    assert (transfer.done, transfer.shots("sparse", "one")) == (0, [])
    calls.clear()
    while transfer.advance():
        pass
    assert calls == [4, 4, 4]
    assert not transfer.advance()


def test_on_the_bundled_networks_the_parts_are_of_the_whole():
    networks = {name: load_classifier(name, device="cpu") for name in ("signs-resnet", "signs-cnn")}
    images, labels = labelled(networks["signs-resnet"], "gallery", 2, 0)
    assert len({*labels.tolist()}) == 2, "one of each class first"
    transfer = Transfer(networks, images, labels, {"greedy": Greedy(steps=20, polish=False)})
    while transfer.advance():
        pass
    for source in networks:
        for shot in transfer.shots("greedy", source):
            assert shot.n_pixels["obscuring"] + shot.n_pixels["leading"] == shot.n_pixels["whole"]
            changed = (shot.adversarial != images[shot.picture]).any(0)
            assert int(changed.sum()) == shot.n_pixels["whole"]
            with torch.no_grad():
                seen = int(networks[source](shot.adversarial[None]).argmax())
            assert shot.seen[source]["whole"] == seen
            assert shot.succeeded == (seen != shot.label)


def other_classes() -> Corner:
    network = Corner()
    network.class_names = ["Cat", "Dog"]
    return network


def larger() -> Corner:
    network = Corner()
    network.input_size = (SIDE, 2 * SIDE)
    return network


@pytest.mark.parametrize(
    ("networks", "says"),
    [
        ({"one": Corner()}, "Transfer needs two networks or more; got one."),
        ({}, "Transfer needs two networks or more; got none."),
        ({"one": Corner(), "pets": other_classes()}, "one and pets must know the same classes"),
        ({"one": Corner(), "wide": larger()}, "wide sees 8 × 4 pixels, and these pictures have 4 × 4"),
    ],
)
def test_what_is_no_comparison_is_one_sentence(networks, says):
    with pytest.raises(ValueError, match=says):
        Transfer(networks, *dark_and_bright(), {"sparse": QUICK})


def test_bad_pictures_and_attacks_are_one_sentence():
    networks = {"one": Corner(), "two": Corner()}
    images, labels = dark_and_bright()
    with pytest.raises(ValueError, match="one attack or more"):
        Transfer(networks, images, labels, {})
    with pytest.raises(ValueError, match=r"labels \(n,\) are expected; got \(4, 3, 4, 4\) and \(3,\)"):
        Transfer(networks, images, labels[:3], {"sparse": QUICK})
    with pytest.raises(ValueError, match="batch must be at least 1"):
        Transfer(networks, images, labels, {"sparse": QUICK}, batch=0)


def test_no_picture_that_two_networks_see_correctly_is_one_sentence():
    transfer = Transfer({"dark": Always(0), "bright": Always(1)}, *dark_and_bright(), {"sparse": QUICK})
    with pytest.raises(ValueError, match="No two of dark, bright see any of these 4 pictures correctly"):
        transfer.advance()


def test_the_command_writes_every_cell(tmp_path, capsys):
    out = tmp_path / "new" / "transfer.csv"
    options = ["--device", "cpu", "--n", "2", "--attack", "sparse-30-bare,greedy:steps=10", "--out", str(out)]
    assert main(["transfer", "--models", "signs-resnet,signs-cnn", *options]) == 0
    told = capsys.readouterr().out
    assert "2 pictures from gallery" in told
    assert all(title in told for title in PARTS.values())
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 2 * 2 * 2
    assert {row["attack"] for row in rows} == {"sparse-30-bare", "greedy:steps=10"}
    for row in rows:
        if row["source"] == row["target"] and int(row["pictures"]):
            assert float(row["whole"]) == 1
            assert float(row["whole_low"]) < 1


@pytest.mark.parametrize(
    ("models", "options", "says"),
    [
        ("signs-resnet", [], "Transfer needs two networks or more; got signs-resnet"),
        (
            "signs-resnet,cifar-vit",
            [],
            "signs-resnet and cifar-vit must know the same classes",
        ),
        ("signs-resnet,nothing", [], "There is no classifier 'nothing'"),
        ("signs-resnet,signs-cnn", ["--attack", "nothing"], "There is no attack 'nothing'"),
        ("signs-resnet,signs-cnn", ["--n", "0"], "--n must be at least 1"),
        ("signs-resnet,signs-cnn", ["--batch", "0"], "batch must be at least 1"),
    ],
)
def test_bad_options_are_one_sentence(models, options, says, capsys):
    assert main(["transfer", "--models", models, "--device", "cpu", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert len(err.splitlines()) == 1
