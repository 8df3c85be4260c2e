#!/usr/bin/env bash
# Run taxcheck with the inputs that the environment holds; the last step of the action ends the job
# with its exit code, so that reports are uploaded first. The job's summary and the annotations are
# taxcheck's own: it writes them wherever GITHUB_ACTIONS is true.
set -euo pipefail

# The checkout is judged, and nothing of it is imported: not by a path that leads into it either.
unset PYTHONPATH PYTHONHOME
export PYTHONSAFEPATH=1

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
reports="${RUNNER_TEMP:?}/taxcheck-reports"
mkdir -p "$reports"
rm -f "$reports"/report.{html,json,sarif,xml}
cd "${INPUT_WORKING_DIRECTORY:-.}"

command=(taxcheck run)
give() { if [[ -n $2 ]]; then command+=("$1=$2"); fi; }
give --mapping "${INPUT_MAPPING:-}"
give --pairs "${INPUT_PAIRS:-}"
give --held-out "${INPUT_HELD_OUT:-}"
give --taxonomy "${INPUT_TAXONOMY:-}"
give --embeddings "${INPUT_EMBEDDINGS:-}"
give --policy "${INPUT_POLICY:-}"
give --fail-on "${INPUT_FAIL_ON:-}"
give --to "${INPUT_TO:-}"
give --project "${INPUT_PROJECT:-}"
give --dataset "${INPUT_DATASET:-}"
if [[ -n ${INPUT_TOKEN:-} ]]; then export TAXCHECK_TOKEN="$INPUT_TOKEN"; fi
unset INPUT_TOKEN
if [[ ${INPUT_CACHE:-} == true ]]; then command+=("--cache=$RUNNER_TEMP/taxcheck-cache"); fi
for suffix in html json sarif xml; do command+=("--output=$reports/report.$suffix"); done

python -I "$here/words.py" > "$RUNNER_TEMP/taxcheck-words"
while IFS= read -r -d '' word; do command+=("$word"); done < "$RUNNER_TEMP/taxcheck-words"

code=0
"${command[@]}" || code=$?
python -I "$here/outputs.py" "$reports" "$code" >> "${GITHUB_OUTPUT:?}"
