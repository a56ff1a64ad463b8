"""NR-DFERNet's and IAL's own schedule: SGD, learning rate x0.5 every 7 epochs, until it is too small to matter."""

from mmengine.optim import OptimWrapper, StepLR
from torch.optim import SGD

train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=1)
optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=SGD, lr=1e-3, momentum=0.9, weight_decay=0.1))
param_scheduler = [dict(type=StepLR, step_size=7, gamma=0.5)]
