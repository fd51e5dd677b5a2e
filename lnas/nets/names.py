"""Names of options of networks, free of torch so that the command line can list them."""

from typing import Literal

Initialization = Literal["kaiming_uniform", "kaiming_normal", "xavier_uniform", "pytorch"]
