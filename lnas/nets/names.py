"""Names of options of networks, free of torch so that the command line can list them."""

from typing import Literal

Initialization = Literal["kaiming_uniform", "kaiming_normal", "lecun_normal", "xavier_uniform", "pycls", "pytorch"]
ImageSize = Literal[32, 64, 224]
DeadEdges = Literal["benchmark", "skipped", "computed"]
PoolNorm = Literal["none", "batch"]
Head = Literal["pool", "norm_relu_pool"]
Compiled = Literal["off", "default", "reduce-overhead", "max-autotune"]
