"""`python -m lnas` is `lnas`."""

import sys

from lnas.cli import main

sys.exit(main())
