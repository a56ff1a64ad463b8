"""The second counter: fvcore, which reads a trace of the model instead of its operators."""

from collections.abc import Mapping
from importlib import metadata
from math import inf
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from cefl_bench.cost.handles import Analysis, analysis_of
from cefl_bench.cost.ledger import Entries, one_line
from cefl_bench.cost.operators import Uncountable, is_free
from cefl_bench.cost.tracing import RecordedConvolutions
from cefl_bench.errors import UserError
from cefl_bench.records import CrossCheck

COMPOSITE = torch._C.DispatchKey.CompositeImplicitAutograd
MAX_RELATIVE_DIFFERENCE = 0.02
"""Of the second count to the canonical one."""


def cross_check(network: nn.Module, inputs: tuple[torch.Tensor, ...], entries: Entries) -> CrossCheck:
    """Count a network of the meta device again, with fvcore, and compare.

    Raises:
        UserError: `Uncountable`, when fvcore cannot trace it, or the counts differ by more than
            `MAX_RELATIVE_DIFFERENCE`.
    """
    analysis = _analysis(network, inputs)
    macs, canonical = int(analysis.total()), sum(entries.values())
    difference = inf if macs and not canonical else (macs - canonical) / max(canonical, 1)
    if abs(difference) > MAX_RELATIVE_DIFFERENCE:
        module, operators = _culprit(analysis, entries)
        raise Uncountable(
            f"the counters disagree: {canonical:,} MACs on the meta device, {macs:,} by fvcore; most over "
            f"{operators} in {module or 'the model itself'}: build it from plain torch modules, or teach fvcore in "
            "cefl_bench/cost/handles.py"
        )
    counter = f"fvcore {metadata.version('fvcore')} FlopCountAnalysis, meta device"
    return {"counter": counter, "macs": macs, "relative_difference": difference}


def _analysis(network: nn.Module, inputs: tuple[torch.Tensor, ...]) -> Analysis:
    for name, module in network.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise Uncountable(
                f"{name or 'the model itself'} is a scripted module, which fvcore cannot look into: expected the plain "
                "module, before torch.jit.script"
            )
    analysis = analysis_of(network, inputs)
    # A trace returns tensors only, and an aggregator may return None beside its feature.
    hook = network.register_forward_hook(lambda _, __, out: tuple(filter(torch.is_tensor, tree_leaves(out))))
    try:
        with torch.no_grad(), RecordedConvolutions():
            analysis.total()
    except UserError:
        raise
    except Exception as error:
        raise Uncountable(
            f"fvcore cannot trace the model ({one_line(error)}), so its FLOPs stay unchecked: expected operators that "
            "torch.jit.trace takes"
        ) from None
    finally:
        hook.remove()
    return analysis


def _culprit(analysis: Analysis, entries: Entries) -> tuple[str, str]:
    """The module over whose own operators, not its children's, the counts differ most; and those operators."""
    modules = analysis.by_module()
    canonical: dict[str, int] = dict.fromkeys(modules, 0)
    for (module, _, _), macs in entries.items():
        canonical[module] = canonical.get(module, 0) + macs
    second = {}
    for name, macs in modules.items():
        second[name] = macs - sum(modules[child] for child in _children(name, modules))
    worst = max(canonical, key=lambda name: abs(canonical[name] - second.get(name, 0)))
    missed = set(analysis.unsupported_ops(worst)) if worst in modules else set()
    operators = sorted(name for name in missed if not _free_in_a_trace(name))
    if not operators:
        operators = sorted({operator for module, _, operator in entries if module == worst})
    return worst, ", ".join(operators)


def _children(name: str, modules: Mapping[str, Any]) -> list[str]:
    return [other for other in modules if other and other != name and other.rpartition(".")[0] == name]


def _free_in_a_trace(name: str) -> bool:
    """Whether the trace's operator is known to be free, or is split into others before it runs."""
    namespace, _, name = name.partition("::")
    packet = getattr(torch.ops.aten, name, None) if namespace == "aten" else None
    if packet is None:
        return False
    overloads = [getattr(packet, overload) for overload in packet.overloads()]
    return any(is_free(one) or one.has_kernel_for_dispatch_key(COMPOSITE) for one in overloads)
