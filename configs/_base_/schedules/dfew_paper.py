"""The DFEW benchmark's schedule as its released code has it: Adam, 500 epochs, one learning rate throughout."""

from mmengine.optim import OptimWrapper
from torch.optim import Adam

train_cfg = dict(by_epoch=True, max_epochs=500, val_interval=1)
optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=Adam, lr=1e-3))
param_scheduler = []
