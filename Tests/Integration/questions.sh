#!/usr/bin/env bash
# The answers in docs/lake.md are those that the program gives.
set -uo pipefail
cd "$(dirname "$0")/../.."

if [[ ! -e .build/venv/bin/python ]]; then
    echo "SKIP the questions of docs/lake.md: .build/venv is missing (scripts/setup --test)"
elif difference=$(scripts/lake-questions --check 2>&1 >/dev/null); then
    echo "PASS the questions of docs/lake.md have the answers that stand there"
else
    echo "FAIL the questions of docs/lake.md have other answers; scripts/lake-questions writes them:"
    tail -n 40 <<<"$difference"
    exit 1
fi
