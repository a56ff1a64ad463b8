"""The canonical count: torch's `FlopCounterMode` on the meta device, entered into a ledger by module and kind."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from cefl_bench.cost.operators import ATTENTION, FORMULAS, RECURRENT, NeedsValues, Uncountable, is_free, kind_of
from cefl_bench.errors import UserError

Entries = Mapping[tuple[str, str, str], int]
"""(module, kind, operator) -> MACs. A module is its dotted name, '' the network itself."""


def count_on_meta(network: nn.Module, *inputs: torch.Tensor) -> Entries:
    """Run a network of the meta device and enter what every operator costs.

    Raises:
        NeedsValues: when it does not run there.
        Uncountable: when it runs an operator that is neither counted nor known to be free.
    """
    counter = FlopCounterMode(display=False, custom_mapping=FORMULAS)
    ledger = _Ledger(counter)
    try:
        # With gradients, as in training: the counter's hooks fail on a parameter that is handed to a module without.
        with torch.enable_grad(), ledger.function, counter, ledger:
            network(*inputs)
    except UserError:
        raise
    except Exception as error:  # a model may do anything
        where = f" in {ledger.module}" if ledger.module else ""
        raise NeedsValues(
            f"the model does not run on the meta device{where} ({one_line(error)}): expected torch operators that need "
            "no values, only shapes"
        ) from None
    if ledger.uncounted:
        (module, operator), *others = ledger.uncounted
        more = f" (and {len(others)} more)" if others else ""
        raise Uncountable(
            f"operator {operator} in {module or 'the model itself'}{more} is counted by no counter: build it from "
            "convolutions, matrix products and attention, or add its formula to cefl_bench/cost/operators.py"
        )
    return dict(ledger.entries)


def one_line(error: Exception) -> str:
    """An exception's type and message as one short line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"


class _Ledger(TorchDispatchMode):
    """After every operator, enters by how much the total of the counter around it grew."""

    supports_higher_order_operators = True

    def __init__(self, counter: FlopCounterMode) -> None:
        super().__init__()
        self.counter, self.function = counter, _Function()
        self.entries: dict[tuple[str, str, str], int] = defaultdict(int)
        self.uncounted: dict[tuple[str, str], None] = {}  # a set that keeps the order
        self.module = ""  # the one that runs

    def __torch_dispatch__(self, operator: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        # The deepest of the modules that run; the tracker's names begin with the class of the network.
        running = max(self.counter.mod_tracker.parents - {"Global"}, key=lambda name: name.count("."), default="")
        self.module = running.partition(".")[2]
        before = self.counter.get_total_flops()
        out = operator(*args, **(kwargs or {}))
        macs = (self.counter.get_total_flops() - before) // 2
        packet = getattr(operator, "_overloadpacket", operator)
        if packet in self.counter.flop_registry:
            self.entries[self.module, kind_of(str(packet), self.function.name), str(packet)] += macs
        elif not (isinstance(operator, torch._ops.OpOverload) and is_free(operator)):
            self.uncounted[self.module, str(packet)] = None
        return out


class _Function(TorchFunctionMode):
    """Knows which attention or recurrent function runs: on the meta device they are split into matrix products."""

    name = ""

    def __torch_function__(self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        name = getattr(function, "__name__", "")
        if name not in RECURRENT | ATTENTION:
            return function(*args, **(kwargs or {}))
        self.name, outer = name, self.name
        try:
            return function(*args, **(kwargs or {}))
        finally:
            self.name = outer
