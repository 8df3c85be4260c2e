#!/bin/sh
# Make the pictures of the documentation again from real runs: run at the root of the repository.
#   docs/images/make.sh                those of the README
#   docs/images/make.sh before-after   that of docs/training.md: two trainings, ten minutes or more
#   docs/images/make.sh -n [PART]      print the commands of a part, and run none of them
# Needs chromium and ImageMagick, before-after the extra torch too; CHROMIUM names another browser of
# its family.
set -eu

run=.venv/bin/taxcheck
page=$(mktemp -d)
trap 'rm -rf "$page"' EXIT
export SOURCE_DATE_EPOCH=1795305600 # the reports' date; no durations

dry=
if [ "${1-}" = -n ]; then
    dry=yes
    shift
fi

# does CODE COMMAND...: the command has to end with this exit code
does() {
    expected=$1
    shift
    if [ "$dry" ]; then
        for word; do
            case $word in
            *" "*) printf '"%s" ' "$word" ;;
            *) printf '%s ' "$word" ;;
            esac
        done
        echo
        return
    fi
    code=0
    "$@" >>"$page/log" 2>&1 || code=$?
    if [ "$code" -ne "$expected" ]; then
        cat "$page/log" >&2
        echo "$*: ended with $code instead of $expected" >&2
        exit 1
    fi
}

# screen NAME PAGE WIDTH HEIGHT FLAGS; headless windows are no narrower than 500 px, so that a phone
# is shown in a frame of its width
screen() {
    name=$1 file=$2 width=$3 height=$4
    shift 4
    [ "$dry" ] || printf \
        '<body style="margin:0"><iframe src="%s" style="border:0;width:%spx;height:%spx"></iframe>' \
        "$file" "$width" "$height" >"$page/frame.html"
    does 0 "${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --hide-scrollbars "$@" \
        --window-size="$width,$((height + 200))" --screenshot="$page/$name.png" \
        "file://$page/frame.html"
    does 0 convert "$page/$name.png" -crop "${width}x${height}+0+0" +repage -strip \
        -dither None -colors 128 "PNG8:docs/images/$name.png"
}

incident="--mapping demo/incident/mapping.tsv --pairs demo/incident/pairs.parquet
    --taxonomy demo/incident/taxdump" # words without blanks: it is split where it is used

readme() {
    does 1 "$run" run $incident --title incident --html "$page/incident.html"
    does 0 "$run" run --mapping fixtures/healthy/mapping.tsv --pairs fixtures/healthy/pairs.parquet \
        --taxonomy fixtures/healthy/taxdump --title Echinodermata --html "$page/healthy.html"
    screen incident incident.html 1280 800
    screen healthy healthy.html 1280 800
    screen incident-dark-390 incident.html 390 844 --blink-settings=preferredColorScheme=0
}

# The incident as it was, its repair, and the default on what was repaired.
before_after() {
    does 1 "$run" train $incident --preset incident --epochs 30 --title "The incident" \
        --out "$page/before" --quiet
    does 0 "$run" fix $incident --out "$page/fixed"
    does 0 "$run" train --mapping "$page/fixed/mapping.tsv" --pairs "$page/fixed/pairs.parquet" \
        --taxonomy demo/incident/taxdump --epochs 10 --title "Repaired data, default" \
        --out "$page/after" --quiet
    does 1 "$run" compare "$page/before/audit.json" "$page/after/audit.json" \
        --html "$page/before-after.html" # 1: of twelve scores one is worse
    screen before-after before-after.html 1280 1190
}

does 0 .venv/bin/python -m fixtures.incident.build demo/incident
case ${1-readme} in
readme) readme ;;
before-after) before_after ;;
*)
    echo "docs/images/make.sh: there is no part $1; parts: readme, before-after" >&2
    exit 2
    ;;
esac
