"""Parts that compute in full precision even if the rest of the model does not."""

from contextlib import AbstractContextManager, nullcontext

import torch


def without_autocast(device: torch.device) -> AbstractContextManager:
    """Switch autocast off in a `with` block; on the meta device, which has no autocast, there is nothing to do."""
    return nullcontext() if device.type == "meta" else torch.autocast(device.type, enabled=False)
