"""Attention of transformers: rollout and gradients by hand, what is followed and what is refused, and no trace left."""

import copy
import csv
import math
import re
import threading

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional

from explorer import load_classifier
from explorer.__main__ import main
from explorer.attention import FLIPS, QUESTIONS, Moved, findings, follow_attention, moved, sign_flip_p
from explorer.classifiers.networks.vit import ViT
from explorer.evidence import Case, PatchAttention, class_maps, methods_for, patch_attention
from explorer.evidence.attributions.attended import NoTransformerError, attend
from explorer.evidence.attributions.attention import gradient_flow, gradient_per_patch, rollout
from explorer.samples import find_sample
from explorer.types import Checks, Evidence, PixelLabel


@pytest.fixture(scope="module")
def sign():
    return load_classifier("signs-vit", device="cpu"), find_sample("stop-1").image


@pytest.fixture(scope="module")
def vit():
    return of_torchvision(num_heads=2), picture()


def of_torchvision(**kinds) -> nn.Module:
    torch.manual_seed(0)
    sizes = {"image_size": 32, "patch_size": 8, "num_layers": 2, "hidden_dim": 32, "mlp_dim": 64, "num_classes": 5}
    network = torchvision.models.VisionTransformer(**sizes, **kinds).eval()
    nn.init.normal_(network.heads.head.weight)  # zero, as torchvision begins
    return network


def picture(seed: int = 0) -> torch.Tensor:
    return torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(seed)).mul(255).round() / 255


def test_rollout_by_hand():
    """One layer of two tokens: half of it is attention, half stays. A second one is multiplied from the left."""
    first, second = torch.tensor([[[0.8, 0.2], [0.4, 0.6]]]), torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
    torch.testing.assert_close(rollout([first]), torch.tensor([[0.9, 0.1], [0.2, 0.8]]))
    torch.testing.assert_close(rollout([first, second]), torch.tensor([[0.55, 0.45], [0.55, 0.45]]))
    two_heads = torch.cat([first, second])  # their mean is [[0.4, 0.6], [0.7, 0.3]]
    torch.testing.assert_close(rollout([two_heads]), torch.tensor([[0.7, 0.3], [0.35, 0.65]]))


def test_tokens_that_attend_to_themselves_only_leave_the_identity():
    eye = torch.eye(5).expand(3, 5, 5)
    assert torch.equal(rollout([eye] * 4), torch.eye(5))


def test_gradient_flow_by_hand():
    weights = torch.tensor([[[0.8, 0.2], [0.4, 0.6]], [[0.5, 0.5], [0.5, 0.5]]])
    slopes = torch.tensor([[[1.0, -5.0], [0.0, 2.0]], [[-1.0, 4.0], [-2.0, -3.0]]])
    first = torch.tensor([[0.4, 1.0], [0.0, 0.6]])  # the mean over the heads of the positive products
    torch.testing.assert_close(gradient_flow([weights], [slopes]), first)
    eye = torch.eye(2)
    torch.testing.assert_close(gradient_flow([weights, weights], [slopes, slopes]), (eye + first) @ (eye + first) - eye)
    assert not gradient_flow([weights], [-slopes.abs()]).any(), "what speaks against the class is left out"


def test_our_own_logits_are_the_same_to_the_last_bit_and_all_patches_are_read(sign):
    network, image = sign
    seen, logits = attend(network, image), network(image[None])
    assert torch.equal(seen.logits, (logits - logits.mean())[0])
    assert (seen.grid, len(seen.weights)) == ((8, 8), 3)
    assert seen.read.all()
    assert seen.patches.tolist() == list(range(64))


@pytest.mark.parametrize("heads", [1, 2])  # torch has a fast path for an even number
def test_a_class_token_is_read_and_is_no_patch(heads):
    network, image = of_torchvision(num_heads=heads), picture()
    seen = attend(network, image)
    logits = network(image[None])
    torch.testing.assert_close(seen.logits, (logits - logits.mean())[0], rtol=1e-4, atol=1e-5)
    assert seen.read.nonzero().tolist() == [[0]]
    assert seen.patches.tolist() == list(range(1, 17))
    kept = []
    layer = network.encoder.layers[0]
    layer.register_forward_pre_hook(lambda module, inputs: kept.append(module.ln_1(inputs[0])))
    network(image[None])
    own, (normed,) = layer.self_attention, kept
    _, expected = own(normed, normed, normed, need_weights=True, average_attn_weights=False)
    torch.testing.assert_close(seen.weights[0], expected[0])


def test_slopes_are_those_of_finite_differences(vit):
    """Scaling the attention that one token pays to another in the last layer moves the logits as the slope says."""
    network, image = vit
    seen, step = attend(network, image), 1e-2
    slope = seen.slopes(3)[-1]
    assert not slope[:, 1:].any(), "after the last layer only the class token is read"
    values = []
    last = network.encoder.layers[-1].self_attention

    def nudged(module, inputs, out):
        x, width = inputs[0], module.head_dim
        v = functional.linear(x, module.in_proj_weight, module.in_proj_bias).chunk(3, -1)[2]
        more = torch.zeros_like(out[0])
        more[:, 0] = step * functional.linear(
            functional.pad(v[:, 5, :width], (0, v.shape[2] - width)), module.out_proj.weight
        )
        return out[0] + more, out[1]

    for hook in (None, nudged):
        handle = last.register_forward_hook(hook) if hook else None
        logits = network(image[None])
        values.append((logits - logits.mean())[0, 3])
        if handle:
            handle.remove()
    assert ((values[1] - values[0]) / step).item() == pytest.approx(slope[0, 0, 5].item(), rel=0.05, abs=1e-3)


def test_every_class_has_its_own_relevance(vit):
    network, image = vit
    maps = gradient_per_patch(network, image, range(5))
    assert maps.shape == (5, 4, 4)
    assert (maps >= 0).all()
    assert maps.flatten(1).sum(1).unique().numel() == 5


@pytest.mark.parametrize("name", ["attention_rollout", "gradient_attention"])
def test_maps_have_one_value_per_patch(vit, name):
    network, image = vit
    attacked = image.clone()
    attacked[:, 3, 30] = 1 - attacked[:, 3, 30]
    label = int(network(image[None]).argmax())
    maps = class_maps(network, image, attacked, label, name)
    assert maps.shape == (2, 32, 32)
    assert (maps >= 0).all()
    blocks = maps.view(2, 4, 8, 4, 8)
    assert torch.equal(blocks, blocks[:, :, :1, :, :1].expand_as(blocks))
    before = patch_attention(network, image, (label,))
    expected = before.rollout if name == "attention_rollout" else before.gradient[0]
    np.testing.assert_allclose(maps[0, ::8, ::8].numpy(), expected, rtol=1e-6)


class Plain(nn.Module):
    """A transformer of one layer, written in one of several ways."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.kind, self.embed = kind, nn.Conv2d(3, 8, 8, 8)
        self.qkv, self.head = nn.Linear(8, 24), nn.Linear(8, 4)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True, bias=kind != "biasless")

    def forward(self, x):
        if self.kind == "turned":
            x = x.flip(3)
        if self.kind == "leaves torch":
            x = torch.from_numpy(x.numpy())
        tokens = self.embed(x).flatten(2).transpose(1, 2)
        q, k, v = self.qkv(tokens).view(len(x), -1, 3, 2, 4).permute(2, 0, 3, 1, 4)
        if self.kind in ("weights asked for", "biasless"):
            mixed, _ = self.attention(tokens, tokens, tokens)
        elif self.kind == "crossed":
            mixed, _ = self.attention(tokens, tokens + 1, tokens)
        elif self.kind == "masked":
            mask = torch.ones(16, 16, dtype=torch.bool).tril()
            mixed = functional.scaled_dot_product_attention(q, k, v, mask)
        elif self.kind == "causal":
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        elif self.kind == "fused":
            mixed = functional.scaled_dot_product_attention(q, k, v)
        elif self.kind == "columns":
            mixed = torch.softmax(q @ k.mT, 2) @ v
        elif self.kind == "ignored":
            torch.softmax(q @ k.mT, -1)
            mixed = v
        else:
            mixed = torch.softmax(q @ k.mT / 2, -1) @ v
        if mixed.ndim == 4:
            mixed = mixed.transpose(1, 2).flatten(2)
        if self.kind == "convolves":
            mixed = functional.conv1d(mixed.mT, torch.ones(8, 8, 3), padding=1).mT
        if self.kind == "pooled by attention":
            return self.head((torch.softmax(mixed[..., :1], 1) * mixed).sum(1))
        return self.head((tokens + mixed).mean(1))


@pytest.mark.parametrize("kind", ["plain", "fused", "weights asked for", "biasless"])
def test_attention_is_followed_however_it_is_written(kind):
    network, image = Plain(kind).eval(), picture()
    assert methods_for(network, image)["gradient_attention"] is None
    seen, logits = attend(network, image), network(image[None])
    torch.testing.assert_close(seen.logits, (logits - logits.mean())[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(seen.weights[0].sum(2), torch.ones(2, 16))
    assert seen.slopes(1)[0].any()


def test_fused_and_plain_attention_are_the_same():
    seen = [patch_attention(Plain(kind).eval(), picture(), (0, 1)) for kind in ("plain", "fused")]
    np.testing.assert_allclose(seen[0].rollout, seen[1].rollout, rtol=1e-5)
    np.testing.assert_allclose(seen[0].gradient, seen[1].gradient, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("turned", "does not turn the picture"),
        ("leaves torch", "it must look inside"),  # and asking for its gradients is no error
        ("crossed", "MultiheadAttention masks tokens"),
        ("masked", "masks tokens"),
        ("causal", "masks tokens"),
        ("columns", "do not sum to 1"),
        ("ignored", "do not come from what its tokens attend to"),
        ("convolves", "convolves after its tokens"),
        ("pooled by attention", "from every token of the picture to every one"),
    ],
)
def test_what_cannot_be_followed_is_refused(kind, problem):
    network, image = Plain(kind).eval(), picture()
    found = methods_for(network, image)
    assert problem in found["attention_rollout"]
    assert found["gradient_attention"] == found["attention_rollout"]
    with pytest.raises(ValueError, match="The attention of this network cannot be followed: "):
        patch_attention(network, image, (0,))


@pytest.mark.parametrize("side", [32, 64])
def test_windows_are_refused(side):
    network = torchvision.models.SwinTransformer([4, 4], 12, [1, 1], [2, 2], [7, 7], num_classes=3).eval()
    assert "as in windows" in methods_for(network, torch.rand(3, side, side))["attention_rollout"]


def test_networks_without_attention_and_without_patches_are_refused():
    assert methods_for(load_classifier("signs-cnn", device="cpu"), picture())["attention_rollout"] == (
        "it needs a transformer"
    )

    class Words(Plain):
        def forward(self, x):
            tokens = x.flatten(1).view(len(x), -1, 8)[:, :10]
            mixed, _ = self.attention(tokens, tokens, tokens)
            return self.head(mixed.mean(1))

    with pytest.raises(NoTransformerError, match="its 10 tokens are not patches of the picture"):
        attend(Words("plain").eval(), picture())


def test_classes_that_the_network_does_not_know_are_refused(vit):
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.4; got 1, 7"):
        patch_attention(*vit, (1, 7))


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_on_the_network(vit, fails):
    network, image = vit

    def state() -> list:
        hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
        return [
            (sorted(vars(each)), [dict(getattr(each, name)) for name in hooks], each.training)
            for each in network.modules()
        ] + [(each.grad, each.requires_grad) for each in network.parameters()]

    before, logits = state(), network(image[None])
    if fails:
        handle = network.heads.register_forward_hook(lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            attend(network, image)
        handle.remove()
    else:
        patch_attention(network, image, (0,))
    assert state() == before
    assert torch.equal(network(image[None]), logits)


def test_a_thread_that_looks_does_not_disturb_one_that_computes(vit):
    network, image = copy.deepcopy(vit[0]).requires_grad_(False), vit[1]  # else torch takes its fast path in between
    alone, found = network(image[None]), []
    expected = patch_attention(network, image, (0,)).rollout
    threads = [
        threading.Thread(target=lambda: found.append(patch_attention(network, image, (0,)).rollout)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    seen = [network(image[None]) for _ in range(20)]
    for thread in threads:
        thread.join()
    assert all(torch.equal(each, alone) for each in seen)
    assert len(found) == 4
    assert all(np.array_equal(each, expected) for each in found)


def labelled(places: dict[tuple[int, int], str]) -> Evidence:
    pixels = tuple(
        PixelLabel(row, col, (0, 0, 0), (9, 9, 9), 1.0, 0.0, kind, False, 1.0, 0.0, kind)
        for (row, col), kind in places.items()
    )
    return Evidence(pixels, Checks(*[math.nan] * 7), "shapley", 0, 1)


def test_gains_are_shares_and_a_patch_of_both_kinds_is_of_neither():
    before = PatchAttention(np.full((2, 2), 3.0), np.stack([np.eye(2), np.zeros((2, 2))]))
    after = PatchAttention(np.array([[1.0, 1.0], [0.0, 2.0]]), np.stack([np.ones((2, 2)), np.eye(2)]))
    evidence = labelled({(0, 0): "obscuring", (0, 9): "leading", (3, 8): "obscuring", (9, 9): "leading"})
    found = moved(before, after, evidence, (10, 10))
    np.testing.assert_allclose(found.gains["rollout"], [[0, 0], [-0.25, 0.25]])
    np.testing.assert_allclose(found.gains["gradient, true class"], [[-0.25, 0.25], [0.25, -0.25]])
    assert np.isnan(found.gains["gradient, wrong class"]).all(), "there was no attention to share"
    assert found.groups["obscuring"].tolist() == [[True, False], [False, False]]
    assert found.groups["leading"].tolist() == [[False, False], [False, True]]
    assert found.groups["unchanged"].tolist() == [[False, False], [True, False]]


def pictures(gain: float, n: int = 30) -> list[Moved]:
    """Obscuring patches lose `gain`, leading ones win it, on top of noise."""
    random, found = np.random.default_rng(1), []
    for _ in range(n):
        groups = {name: np.zeros((4, 4), bool) for name in ("obscuring", "leading", "unchanged")}
        groups["obscuring"][0, :2] = groups["leading"][1, :1] = groups["unchanged"][2:] = True
        moves = {
            name: random.normal(0, 0.01, (4, 4)) - gain * groups["obscuring"] + gain * groups["leading"]
            for name in ("rollout", "gradient, true class", "gradient, wrong class")
        }
        found.append(Moved(moves, groups))
    return found


def test_what_is_there_is_found_and_what_is_not_is_not():
    for each in findings(pictures(0.05)):
        sign = -1 if each.kind == "obscuring" else 1
        size = 0.05 if each.others == "unchanged" else 0.1
        assert each.pictures == 30
        assert each.difference == pytest.approx(sign * size, abs=0.01)
        assert each.low < each.difference < each.high
        assert (each.low > 0) == (each.high > 0), "zero is not in the interval"
        assert each.as_expected > 0.9
        assert each.p == pytest.approx(2 / (1 + FLIPS))
        assert each.difference == pytest.approx(each.gain - each.gain_of_others)
    nothing = findings(pictures(0.0))
    assert min(each.p for each in nothing) > 0.01
    assert findings(pictures(0.05)) == findings(pictures(0.05)), "what is drawn at random is drawn from a seed"


def test_the_p_of_flipped_signs_by_hand():
    """Of the eight ways to sign 1, 2 and 4, one has a mean as large as theirs, and one as small as its opposite."""
    assert sign_flip_p(np.array([1.0, 2.0, 4.0])) == pytest.approx(2 / 8)
    assert sign_flip_p(np.array([-1.0, 2.0, 4.0])) == pytest.approx(4 / 8)
    assert math.isnan(sign_flip_p(np.array([3.0])))
    wide = np.random.default_rng(3).normal(0, 50, 40)
    assert sign_flip_p(wide - wide.mean()) == pytest.approx(1, abs=0.05), "a wide spread about zero is no difference"


def test_no_picture_with_both_groups_is_no_answer():
    lonely = pictures(0.05, 1)[0]
    lonely.groups["leading"][:] = False
    found = {(each.attention, each.kind, each.others): each for each in findings([lonely])}
    assert found["rollout", "leading", "unchanged"].pictures == 0
    assert math.isnan(found["rollout", "leading", "unchanged"].difference)
    assert found["rollout", "obscuring", "unchanged"].pictures == 1
    assert math.isnan(found["rollout", "obscuring", "unchanged"].low)


def test_following_skips_pictures_without_a_change_and_refuses_what_is_no_transformer(sign):
    network, image = sign
    attacked = image.clone()
    attacked[:, 20:22, 30] = 1 - attacked[:, 20:22, 30]
    told = []
    label = int(network(image[None]).argmax())
    two, labels = torch.stack([image, image]), torch.tensor([label, label])
    found = follow_attention(
        network, two, torch.stack([image, attacked]), labels, "gradient_x_change", lambda: told.append(1)
    )
    assert len(told) == 2
    assert len(found) == 1
    (one,) = found
    assert sum(int(mask.sum()) for mask in one.groups.values()) in (63, 64)
    assert not one.groups["unchanged"][2, 3]
    for gains in one.gains.values():
        assert gains.sum() == pytest.approx(0, abs=1e-5)
    resnet = load_classifier("signs-resnet", device="cpu")
    with pytest.raises(ValueError, match="cannot be followed: it needs a transformer"):
        follow_attention(resnet, two[1:], attacked[None], labels[1:])


def test_a_case_on_a_transformer_of_ours_with_any_patches():
    torch.manual_seed(2)
    network, image = ViT(3, input_size=16, patch=4, width=12, depth=2, heads=2).eval(), torch.rand(3, 16, 16)
    case = Case.of(network, image, 1 - image, 0)
    assert case.n_pixels
    assert attend(network, case.image).grid == (4, 4)
    assert patch_attention(network, image, (0, 2)).rollout.sum() == pytest.approx(1, abs=1e-5)


ATTENTION = ["attention", "--device", "cpu", "--steps", "20", "--no-polish", "--n"]


def test_the_command_prints_and_writes_every_question(tmp_path, capsys):
    out = tmp_path / "new" / "attention.csv"
    assert main([*ATTENTION, "3", "--model", "signs-vit", "--method", "gradient_x_change", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^signs-vit: \d of 3 pictures from renders are fooled\.$", printed, re.MULTILINE)
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [(row["attention"], row["kind"], row["others"]) for row in rows] == list(QUESTIONS)
    for row in rows:
        if row["pictures"] != "0":
            gap = float(row["gain"]) - float(row["gain_of_others"])
            assert float(row["difference"]) == pytest.approx(gap, abs=1e-9)
            assert (row["pictures"] == "1") == (row["p"] == "")
            assert 0 < float(row["p"] or 1) <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["3", "--model", "signs-cnn"], "attention rollout is not valid for signs-cnn: it needs a transformer."),
        (["3", "--model", "signs-vit", "--method", "grad_cam"], "Grad-CAM is not valid for signs-vit: it needs a conv"),
        (["0", "--model", "signs-vit"], "--n must be at least 1 and --seed at least 0; got 0 and 0."),
        (["3", "--model", "signs-vit", "--batch", "0"], "--batch must be at least 1; got 0."),
    ],
)
def test_the_command_refuses_bad_input_in_one_sentence(options, message, capsys):
    assert main([*ATTENTION, *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
