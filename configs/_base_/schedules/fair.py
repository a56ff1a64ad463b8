"""The fair track's schedule: SGD, 100 epochs, learning rate x0.1 every 40. Zhao and Liu, Former-DFER, ACM MM 2021."""

from mmengine.optim import MultiStepLR, OptimWrapper
from torch.optim import SGD

train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=1)
optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=SGD, lr=0.01, momentum=0.9, weight_decay=1e-4))
param_scheduler = [dict(type=MultiStepLR, milestones=[40, 80], gamma=0.1)]
