#!/usr/bin/env bash
# Make the pictures of README and documentation that show the demo (needs chromium):
#   benchmarks/pictures.sh [RUNS]
set -euo pipefail
images="$(cd "$(dirname "$0")/../docs/images" && pwd)"
work="$(mktemp -d)"
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
command=(uv run --project "$images/../.." --group dev wandb-carbs)

"${command[@]}" demo --runs "${1:-60}" --data-dir data --json > demo.json
sweep=$(python3 -c 'import json; parts = json.load(open("demo.json"))["sweep"].split("/"); print("/".join((parts[-4], parts[-3], parts[-1])))')
"${command[@]}" server --port 0 --data-dir data > settings &
server=$!
until grep -q WANDB_API_KEY settings; do sleep 0.2; done
source settings

"${command[@]}" plot "$sweep" -o "$images/demo-frontier.png"
"${command[@]}" report "$sweep" -o report.html
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --virtual-time-budget=10000 \
    --window-size=1100,1330 --screenshot="$images/report.png" "file://$work/report.html"

# The pages of the local server: the sweep, and its best run.
read -r page best < <(python3 - "$WANDB_BASE_URL" "$sweep" <<'END'
import re, sys, urllib.request
base, sweep = sys.argv[1:]
page = "{}/{}/{}/sweeps/{}".format(base, *sweep.split("/"))
html = urllib.request.urlopen(page).read().decode()
print(page, base + re.search(r'href="(/[^"]+/runs/[^"]+)"', html)[1])
END
)
for picture in "server-sweep 1420 $page" "server-run 1300 $best"; do
    read -r name height address <<<"$picture"
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --virtual-time-budget=10000 \
        --window-size=1300,"$height" --screenshot="$images/$name.png" "$address"
done

# A palette of 256 colours halves the screenshots, so that they stay under the size that the tests allow.
uv run --project "$images/../.." --group dev python - "$images"/{report,server-sweep,server-run}.png <<'END'
import sys
from PIL import Image
for path in sys.argv[1:]:
    Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
END
