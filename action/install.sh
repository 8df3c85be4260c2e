#!/usr/bin/env bash
# Install taxcheck: the release that is asked for, else the version that this action was taken from.
set -euo pipefail

extras=${INPUT_EXTRAS:+[$INPUT_EXTRAS]}
if [[ -n ${INPUT_EXTRAS:-} && ! $INPUT_EXTRAS =~ ^[A-Za-z0-9_,-]+$ ]]; then
  echo "::error::extras must be names with commas between them, such as checkpoints,plots"
  exit 2
fi
if [[ -z ${INPUT_VERSION:-} ]]; then
  what="$GITHUB_ACTION_PATH$extras"
elif [[ $INPUT_VERSION =~ ^[0-9][0-9A-Za-z.+!-]*$ ]]; then
  what="taxcheck$extras==$INPUT_VERSION"
else
  echo "::error::version must be a release, such as 0.2.0"
  exit 2
fi
# Not from the checkout, which may hold a pip of its own.
cd "${RUNNER_TEMP:?}"
python -I -m pip install --disable-pip-version-check --quiet "$what"
