#!/bin/sh
# Installs each published client that is tested into a virtual environment of its own, once:
# .venv-clients/huggingface_hub-VERSION, from the lock file of that name beside this script.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../.." && pwd)
python="$checkout/.venv/bin/python"
[ -x "$python" ] || python=python3

for lock in "$here"/huggingface_hub-*.lock; do
    name=$(basename "$lock" .lock)
    folder="$checkout/.venv-clients/$name"
    # The lock that was installed lies beside it, so that a new lock installs anew.
    if cmp -s "$lock" "$folder/installed.lock"; then
        continue
    fi
    echo "Installing the client $name ..."
    rm -rf "$folder"
    "$python" -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$lock"
    cp "$lock" "$folder/installed.lock"
done
