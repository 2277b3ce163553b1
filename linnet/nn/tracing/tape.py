"""One run of a module under which every operator is written down, with the units of what it gave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from linnet.nn.tracing.operators import Call, rule_of
from linnet.nn.tracing.units import Axes, Axis, Kind, Ledger


@dataclass(frozen=True)
class Step:
    """One operator: its name, the module that called it, the axes of each tensor that came out."""

    operator: str
    module: str
    outputs: tuple[tuple[Axis, ...], ...]


@dataclass(frozen=True)
class Cost:
    """A convolution or a product: so many multiplications for each combination of positions of these axes."""

    module: str
    factor: int
    axes: tuple[Axis, ...]


@dataclass
class Tape:
    """What a run showed."""

    ledger: Ledger
    steps: list[Step] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    splits: list[tuple[str, Axis, int]] = field(default_factory=list)
    """(module, the axis of stretches, positions in one): where channels were taken apart, as heads are."""
    outputs: dict[str, tuple[Axis, ...]] = field(default_factory=dict)
    """By path of a module, in the order of the signal: the axes of the first tensor that it gave."""
    entered: dict[str, tuple[Axis, ...]] = field(default_factory=dict)
    """By path of a module: the axes of the first tensor that it took."""
    called: dict[str, int] = field(default_factory=dict)
    """How often each module ran."""
    decided: list[str] = field(default_factory=list)
    """Modules that took a value out of a tensor into Python, on which their way may depend."""
    state: dict[str, tuple[Axis, ...]] = field(default_factory=dict)
    """By name of a parameter or buffer: its axes."""
    inputs: tuple[tuple[Axis, ...], ...] = ()


def record(module: nn.Module, inputs: Sequence[Tensor]) -> Tape:
    """Run the module once on these inputs, in evaluation mode without gradients, and write down what happens."""
    tape = Tape(Ledger())
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), _without_fast_paths():
            mode = _Recorder(tape, module)
            for tensor in inputs:
                mode.know(tensor, [tape.ledger.fresh(size, Kind.FIXED, "it is part of the input")
                                   for size in tensor.shape])
            tape.inputs = tuple(tuple(mode.axes(tensor)) for tensor in inputs)
            with mode.watching(module), mode:
                answer = module(*inputs)
        for tensor in pytree.tree_leaves(answer):
            if isinstance(tensor, Tensor):
                for axis in mode.axes(tensor):
                    tape.ledger.fix(axis, "it is part of the answer")
    finally:
        module.train(was_training)
    return tape


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call, unused-ignore]
    """Hands each operator to its rule; keeps every tensor, because the key of one that is gone might come again."""

    def __init__(self, tape: Tape, module: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        self.tape = tape
        self.known: dict[int, tuple[Tensor, Axes]] = {}
        self.path: list[str] = [""]
        for name, tensor in (*module.named_parameters(remove_duplicate=False),
                             *module.named_buffers(remove_duplicate=False)):
            kind = Kind.OPEN if isinstance(tensor, nn.Parameter) else Kind.FREE
            if id(tensor) not in self.known:
                self.know(tensor, [tape.ledger.fresh(size, kind) for size in tensor.shape])
            tape.state[name] = tuple(self.axes(tensor))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        for tensor in pytree.tree_leaves((args, given)):  # known before an operator that writes in place runs
            if isinstance(tensor, Tensor):
                self.axes(tensor)
        out = func(*args, **given)
        found = [tensor for tensor in pytree.tree_leaves(out) if isinstance(tensor, Tensor)]
        name = func._overloadpacket.__name__
        if not found and name == "_local_scalar_dense":
            self.tape.decided.append(self.path[-1])
        call = Call(self.tape.ledger, self.axes, name, func, args, given, found,
                    lambda axis, inside: self.tape.splits.append((self.path[-1], axis, inside)),
                    lambda factor, axes: self.tape.costs.append(Cost(self.path[-1], factor, tuple(axes))))
        for tensor, axes in zip(found, rule_of(call)(call), strict=True):
            self.know(tensor, axes)
        self.tape.steps.append(Step(name, self.path[-1], tuple(tuple(self.axes(tensor)) for tensor in found)))
        return out

    def know(self, tensor: Tensor, axes: Axes) -> None:
        """From here on, these are the axes of the tensor."""
        self.known[id(tensor)] = (tensor, axes)

    def axes(self, tensor: Tensor) -> Axes:
        """Those of a tensor; what nobody has seen is as free as a constant."""
        if id(tensor) not in self.known:
            self.know(tensor, [self.tape.ledger.fresh(size, Kind.FREE) for size in tensor.shape])
        return self.known[id(tensor)][1]

    @contextmanager
    def watching(self, module: nn.Module) -> Iterator[None]:
        """Know at any time which module runs, and what each gave."""
        handles = []
        for name, part in module.named_modules():
            handles.append(part.register_forward_pre_hook(lambda *found, name=name: self._enter(name, found[-1])))
            handles.append(part.register_forward_hook(lambda *found, name=name: self._leave(name, found[-1])))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _enter(self, name: str, inputs: Any) -> None:
        self.path.append(name)
        tensors = [tensor for tensor in pytree.tree_leaves(inputs) if isinstance(tensor, Tensor)]
        if tensors:
            self.tape.entered.setdefault(name, tuple(self.axes(tensors[0])))

    def _leave(self, name: str, output: Any) -> None:
        self.path.pop()
        self.tape.called[name] = self.tape.called.get(name, 0) + 1
        tensors = [tensor for tensor in pytree.tree_leaves(output) if isinstance(tensor, Tensor)]
        if tensors:
            self.tape.outputs.setdefault(name, tuple(self.axes(tensors[0])))


@contextmanager
def _without_fast_paths() -> Iterator[None]:
    """torch's transformer layers would run as one operator of which nothing can be seen."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
