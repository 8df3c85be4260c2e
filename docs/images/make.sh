#!/bin/sh
# Make the pictures of the README again from real runs: run at the root of the repository.
# Needs chromium and ImageMagick; CHROMIUM names another browser of its family.
# before-after.png is the first screen of what taxcheck compare --html wrote of the runs in docs/training.md.
set -eu

run=.venv/bin/taxcheck
page=$(mktemp -d)
trap 'rm -rf "$page"' EXIT
export SOURCE_DATE_EPOCH=1795305600 # the reports' date; no durations

.venv/bin/python -m fixtures.incident.build demo/incident >"$page/log"
$run run --mapping demo/incident/mapping.tsv --pairs demo/incident/pairs.parquet \
    --taxonomy demo/incident/taxdump --title incident --html "$page/incident.html" >"$page/log" ||
    test $? -eq 1
$run run --mapping fixtures/healthy/mapping.tsv --pairs fixtures/healthy/pairs.parquet \
    --taxonomy fixtures/healthy/taxdump --title Echinodermata --html "$page/healthy.html" >"$page/log"

# screen NAME PAGE WIDTH HEIGHT FLAGS; headless windows are no narrower than 500 px, so that a phone
# is shown in a frame of its width
screen() {
    name=$1 file=$2 width=$3 height=$4
    shift 4
    printf '<body style="margin:0"><iframe src="%s" style="border:0;width:%spx;height:%spx"></iframe>' \
        "$file" "$width" "$height" >"$page/frame.html"
    "${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --hide-scrollbars "$@" \
        --window-size="$width,$((height + 200))" --screenshot="$page/$name.png" \
        "file://$page/frame.html" 2>"$page/log"
    convert "$page/$name.png" -crop "${width}x${height}+0+0" +repage -strip \
        -dither None -colors 128 "PNG8:docs/images/$name.png"
}

screen incident incident.html 1280 800
screen healthy healthy.html 1280 800
screen incident-dark-390 incident.html 390 844 --blink-settings=preferredColorScheme=0
