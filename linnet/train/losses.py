"""Losses by name: a Task says which, this file says how."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from linnet.errors import LinnetError

Inputs = Mapping[str, Tensor]
Loss = Callable[[Tensor, Tensor, float, Inputs], Tensor]
"""Of outputs, targets, label smoothing, and the input arrays by name; the mean over `terms` of the targets."""

IGNORED = -100
"""The target of a position that does not count."""
_LEAST = -1e4
"""In place of minus infinity, with which differences are not numbers."""
_MARGIN, _SHARP, _ROUND = 0.2, 24.0, 1e-6


def cross_entropy(logits: Tensor, targets: Tensor, smoothing: float, inputs: Inputs) -> Tensor:
    """Mean cross entropy of (batch, classes) logits against (batch,) indices, with label smoothing."""
    del inputs
    return functional.cross_entropy(logits, targets, label_smoothing=smoothing)


def binary_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float, inputs: Inputs) -> Tensor:
    """Mean over samples and labels of (batch, labels) logits against 0 and 1: each label is a question of its own."""
    del inputs
    wanted = targets.to(logits.dtype) * (1 - smoothing) + smoothing / 2
    return functional.binary_cross_entropy_with_logits(logits, wanted)


def earth_mover(logits: Tensor, targets: Tensor, smoothing: float, inputs: Inputs) -> Tensor:
    """Squared earth mover's distance of (batch, classes) logits to (batch,) indices, for labels with an order.

    The squared differences of the cumulated probabilities, summed over classes (Hou, Yu and Samaras 2016,
    arXiv:1611.05916): a neighbour of the right label costs less than a far one.
    """
    del inputs
    classes = logits.shape[-1]
    wanted = functional.one_hot(targets, classes) * (1 - smoothing) + smoothing / classes
    differences = torch.cumsum(logits.softmax(dim=-1), dim=-1) - torch.cumsum(wanted, dim=-1)
    return differences.square().sum(dim=-1).mean()


def token_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float, inputs: Inputs) -> Tensor:
    """Mean over positions of (batch, length, tags) logits against (batch, length) indices; -100 does not count."""
    del inputs
    total = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum",
                                     label_smoothing=smoothing)
    return total / (targets != IGNORED).sum().clamp(min=1)


def joint_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float, inputs: Inputs) -> Tensor:
    """Cross entropy of one label a text plus the mean over its tokens of that of a tag a token; a mean over texts.

    (batch, length, labels + tags) logits; (batch, 2 + length) targets: how many labels there are, which one is right,
    a tag a token, where -100 does not count. A text's logits for labels are the means of those of its tokens.
    """
    intents, tags, wanted = jointly(logits, targets, inputs)
    token = functional.cross_entropy(tags.flatten(0, 1), wanted.flatten(), ignore_index=IGNORED, reduction="none",
                                     label_smoothing=smoothing).reshape(wanted.shape)
    means = token.sum(dim=1) / (wanted != IGNORED).sum(dim=1).clamp(min=1)
    return functional.cross_entropy(intents, targets[:, 1], label_smoothing=smoothing) + means.mean()


def jointly(logits: Tensor, targets: Tensor, inputs: Inputs) -> tuple[Tensor, Tensor, Tensor]:
    """The logits of labels (batch, labels), those of tags (batch, length, tags), and the tags' targets."""
    count = int(targets[0, 0])
    is_real = (inputs["tokens"] != 0).to(logits.dtype).unsqueeze(2)
    labels = (logits[:, :, :count] * is_real).sum(dim=1) / is_real.sum(dim=1).clamp(min=1)
    return labels, logits[:, :, count:], targets[:, 2:]


def frame_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float, inputs: Inputs) -> Tensor:
    """Mean over frames of (batch, frames, labels) logits against (batch, longest) indices; -100 does not count.

    The frames are those of the longest recording of the batch, the targets those of the longest of all, so either may
    go on longer; what has no partner does not count, nor do frames that the network itself takes for padding. Raises
    LinnetError where the network answers at another rate.
    """
    del inputs
    frames = logits.shape[1]
    expected = int((targets != IGNORED).sum(dim=1).max())
    if abs(frames - expected) > _FRAMES_OFF:
        raise LinnetError(f"the network answers {frames} times where the task expects {expected}: give the task the "
                          "frame_ms at which this network answers, or take another network.")
    shared = min(frames, targets.shape[1])
    logits, targets = logits[:, :shared], targets[:, :shared]
    is_padding = logits.detach().amin(dim=2) <= _LEAST / 2  # certain, so that smoothing would find it infinitely wrong
    return token_cross_entropy(logits, targets.masked_fill(is_padding, IGNORED), smoothing, {})


def ctc(logits: Tensor, targets: Tensor, smoothing: float, inputs: Inputs) -> Tensor:
    """Mean over samples of the negative log likelihood a target token, summed over alignments (Graves et al. 2006).

    (batch, frames, tokens) logits, the blank first; (batch, longest) indices, padded with -1. Frames beyond a sample's
    end are blank with certainty, so all frames count. Raises LinnetError for targets longer than their frames.
    """
    del smoothing, inputs
    likelihoods = logits.clamp(min=_LEAST).log_softmax(dim=-1).transpose(0, 1)
    lengths = (targets >= 0).sum(dim=1)
    frames = torch.full_like(lengths, logits.shape[1])
    losses = functional.ctc_loss(likelihoods, targets.clamp(min=0), frames, lengths, blank=0, reduction="none")
    too_long = int((losses.isinf() | (losses > -_LEAST)).sum())
    if too_long:
        raise LinnetError(f"{too_long} of {len(losses)} recordings of a batch are too short for what is said in them: "
                          f"the network answers {logits.shape[1]} times at most, a target has up to "
                          f"{int(lengths.max())} tokens. Take a network with more frames a second, or these "
                          "recordings out of the data.")
    return (losses / lengths.clamp(min=1)).mean()


def huber(values: Tensor, targets: Tensor, smoothing: float, inputs: Inputs) -> Tensor:
    """Mean over samples and values of (batch, k): squares near 0, absolute beyond 1 (Huber 1964)."""
    del smoothing, inputs
    return functional.huber_loss(values, targets.to(values.dtype).reshape(values.shape))


def marks(values: Tensor, targets: Tensor, smoothing: float, inputs: Inputs) -> Tensor:
    """The sum over kinds of mark of the mean squared error of (batch, positions, kinds); NaN in targets does not count.

    So that a kind of which there is one mark a sample weighs as much as one of which there are many.
    """
    del smoothing, inputs
    known = ~targets.isnan()
    errors = torch.where(known, values - targets.nan_to_num(), 0.0).square()
    return (errors.sum(dim=(0, 1)) / known.sum(dim=(0, 1)).clamp(min=1)).sum()


def angular_margin(voices: Tensor, targets: Tensor, smoothing: float, inputs: Inputs) -> Tensor:
    """Mean cross entropy of how near (batch, size) voices point to their speaker's direction, one axis each.

    The angle to the right one counts 0.2 too large, and cosines are scaled by 24 (Deng et al. 2019, ArcFace,
    arXiv:1801.07698); directions are fixed and at right angles (Hoffer et al. 2018, Fix your classifier,
    arXiv:1801.04540). Speakers without a direction have targets below 0: theirs is the cross entropy of finding the
    others of the same speaker in the batch (Khosla et al. 2020, Supervised Contrastive Learning, arXiv:2004.11362).
    """
    del inputs
    cosines = functional.normalize(voices, dim=1)
    known = targets >= 0
    total = cosines.new_zeros(())
    if bool(known.any()):
        right = targets[known]
        near = cosines[known]
        angle = near.gather(1, right[:, None]).clamp(-1 + _ROUND, 1 - _ROUND).acos()
        logits = _SHARP * near.scatter(1, right[:, None], torch.cos(angle + _MARGIN))
        total = functional.cross_entropy(logits, right, label_smoothing=smoothing, reduction="sum")
    if not bool(known.all()):
        total = total + _found_again(cosines[~known], targets[~known])
    return total / len(targets)


def _found_again(directions: Tensor, targets: Tensor) -> Tensor:
    """The sum over rows; nothing for a speaker who is alone."""
    self_pairs = torch.eye(len(targets), dtype=torch.bool, device=targets.device)
    same = (targets[:, None] == targets) & ~self_pairs
    likelihoods = (_SHARP * directions @ directions.T).masked_fill(self_pairs, _LEAST).log_softmax(dim=1)
    return -((likelihoods * same).sum(dim=1) / same.sum(dim=1).clamp(min=1)).sum()


LOSSES: dict[str, Loss] = {"angular_margin": angular_margin,
                           "joint_cross_entropy": joint_cross_entropy,
                           "cross_entropy": cross_entropy, "binary_cross_entropy": binary_cross_entropy,
                           "earth_mover": earth_mover, "token_cross_entropy": token_cross_entropy,
                           "frame_cross_entropy": frame_cross_entropy, "ctc": ctc, "huber": huber, "marks": marks}
_BY_POSITION = ("token_cross_entropy", "frame_cross_entropy")
_FRAMES_OFF = 3
"""So many frames a front end may answer more or fewer than a recording's length says: it hears padding at the end."""
MIXABLE = ("cross_entropy", "binary_cross_entropy", "earth_mover")
"""The losses of one answer a sample, where the loss of a blend is the blend of the losses."""


def terms(loss: str, targets: Tensor) -> int:
    """Over how many terms the loss is a mean, so that means of parts can be put together to that of the whole."""
    return int((targets != IGNORED).sum()) if loss in _BY_POSITION else len(targets)


def distillation(loss: str, outputs: Tensor, answers: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """How far the student's outputs are from the teacher's, for the outputs of any of LOSSES.

    Softened logits: their divergence times the temperature squared (Hinton et al. 2015, section 2), a mean over samples
    or over the positions that count. Labels that are questions of their own: cross entropy of their probabilities.
    Values: the mean squared error.
    """
    if loss in ("huber", "marks"):
        return functional.mse_loss(outputs, answers)
    if loss == "binary_cross_entropy":
        wanted = (answers / temperature).sigmoid()
        return functional.binary_cross_entropy_with_logits(outputs / temperature, wanted) * temperature**2
    if loss == "joint_cross_entropy":  # both parts at every token that has a tag
        count, wanted = int(targets[0, 0]), targets[:, 2:]
        return sum((distillation("token_cross_entropy", one, other, wanted, temperature) for one, other in
                    ((outputs[:, :, :count], answers[:, :, :count]), (outputs[:, :, count:], answers[:, :, count:]))),
                   outputs.new_zeros(()))
    student = functional.log_softmax(outputs.clamp(min=_LEAST) / temperature, dim=-1)
    teacher = functional.log_softmax(answers.clamp(min=_LEAST) / temperature, dim=-1)
    divergence = functional.kl_div(student, teacher, reduction="none", log_target=True).sum(dim=-1)
    if loss in _BY_POSITION:
        shared = min(divergence.shape[1], targets.shape[1])  # frames and targets are padded apart from each other
        divergence, counts = divergence[:, :shared], targets[:, :shared] != IGNORED
        return (divergence * counts).sum() / counts.sum().clamp(min=1) * temperature**2
    return divergence.mean() * temperature**2


def feature_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """How far a layer's outputs are from the teacher's, as a share of the teacher's power; shapes are the same.

    The hint of FitNets (Romero et al. 2015, arXiv:1412.6550, equation 3), half a squared distance, divided by that of
    the teacher to nothing: so layers with large numbers do not outweigh the others.
    """
    return (student - teacher).square().sum() / (2 * teacher.square().sum().clamp(min=1e-12))


def attention_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """How far apart the places are at which two layers respond: (batch, channels, *positions), any number of channels.

    Attention transfer (Zagoruyko and Komodakis 2017, arXiv:1612.03928, equation 2): a layer's map is the sum of its
    channels' squares, as a vector of length 1. Half the squared distance of the maps, a mean over samples: that of the
    authors' own code, since the distance itself has no gradient where the maps are the same.
    """
    maps = [functional.normalize(outputs.square().sum(dim=1).flatten(1), dim=1) for outputs in (student, teacher)]
    return (maps[0] - maps[1]).square().sum(dim=1).mean() / 2
