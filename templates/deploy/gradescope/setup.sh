#!/usr/bin/env bash
# Run once by Gradescope, as root, when the autograder is built: installs the grader and what it needs.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
source="$root/source"

supported() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

python=""
for candidate in "${GRADE_BASE_PYTHON:-python3}" python3.13 python3.12 python3.11; do
    if supported "$candidate"; then
        python="$candidate"
        break
    fi
done

if [ -n "$python" ]; then
    "$python" -m venv "$root/venv"
else # the image's Python is too old or has no venv: bring one
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3-pip python3-venv
    rm -rf /var/lib/apt/lists/*
    python3 -m venv "$root/uv"
    "$root/uv/bin/pip" install --quiet uv
    "$root/uv/bin/uv" venv --seed --python 3.12 "$root/venv"
fi

# PyTorch as it is built for CPUs: the one for GPUs is larger by gigabytes and does nothing here.
"$root/venv/bin/pip" install --quiet --disable-pip-version-check \
    --extra-index-url https://download.pytorch.org/whl/cpu "$(ls "$source"/transformer_grader-*.whl)[pdf,docx]"
