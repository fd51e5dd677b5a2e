#!/usr/bin/env bash
# What a contributor runs before a commit, and what CI runs after the README's commands.
#   scripts/check.sh          style, types, tests
#   scripts/check.sh static   style and types only
set -euo pipefail
cd "$(dirname "$0")/.."

ruff check .
ruff format --check .
mypy
if [ "${1:-}" != static ]; then
  pytest
fi
