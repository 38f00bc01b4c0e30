#!/usr/bin/env bash
# A report as Chromium shows it, light, dark and on a phone, to be looked at: `train/tests/pages.sh REPORT.html FOLDER`
# writes light.png, dark.png and phone.png. Needs Debian's `chromium`.
set -eu
page=$(realpath "$1")
mkdir -p "$2"
# Of a Chromium setting: 0 is dark, 1 is light.
for look in light:1:1100,3600 dark:0:1100,3600 phone:1:500,4600; do
    IFS=: read -r name colours size <<<"$look"
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --blink-settings="preferredColorScheme=$colours" \
        --window-size="$size" --screenshot="$2/$name.png" "file://$page" 2>/dev/null
    [ -s "$2/$name.png" ]
done
