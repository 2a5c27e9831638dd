#!/usr/bin/env bash
# Run the system tests of W&B's SDK on the local server:
#   SDK=0.28.2 benchmarks/wandb_tests.sh CHECKOUT [TESTS ...]
# CHECKOUT is a clone of https://github.com/wandb/wandb; TESTS are files or folders of its tests/system_tests. They run in
# a copy, against a release of the SDK, in an environment of their own. Only the harness is changed, in three places: the
# server's address, its one API key, and users, which are not made. Needs uv; the tests need most of an hour.
set -euo pipefail
checkout=$(realpath "$1")
shift
[ $# -gt 0 ] || set -- test_sweep test_api test_plot.py test_core test_artifacts
project=$(realpath "$(dirname "$0")/..")
work=$(mktemp -d)
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT

cp -r "$checkout/tests" "$checkout/pyproject.toml" "$work"
cd "$work"
touch settings
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python "wandb[media,sweeps]==${SDK:?which release of the SDK?}" \
    pytest'<9' pytest-asyncio pytest-cov pytest-mock pytest-timeout pytest-xdist hypothesis looptime pyte responses \
    fastapi httpx uvicorn boto3 google-cloud-storage moto bokeh matplotlib pandas polars pyarrow tensorboard typing-extensions

key=$(printf 'k%.0s' {1..40})
export WANDB_CARBS_SERVER_API_KEY=$key
uv run -q --project "$project" wandb-carbs server --port 0 --data-dir data >settings &
server=$!
until grep -q WANDB_API_KEY settings; do sleep 0.2; done
unset WANDB_CARBS_SERVER_API_KEY
port=$(sed -n 's/.*WANDB_BASE_URL=.*:\([0-9]*\)$/\1/p' settings)

# Change a file of the harness; a place that is not there ends the script.
change() {
    grep -q "$2" "tests/system_tests/$1" || { echo "$1: nothing like $2" >&2; exit 1; }
    sed -i "s/$2/$3/" "tests/system_tests/$1"
}
change backend_fixtures.py '^\(def connect_to_local_wandb_backend.*\)$' \
    "\1\n    return LocalWandbBackendAddress('localhost', $port, $port)"
change backend_fixtures.py '^\(    def _send(.*\)$' '\1\n        return None'
change conftest.py 'setenv("WANDB_API_KEY", .*)' "setenv('WANDB_API_KEY', '$key')"
change conftest.py 'api_key=[a-z_]*)' "api_key='$key')"

for tests in "$@"; do
    printf '\n== %s\n' "$tests"
    venv/bin/python -m pytest -q --no-header --no-cov -p no:cacheprovider --timeout 120 --tb no -rfE \
        "tests/system_tests/$tests" | grep -E '^(FAILED|ERROR|=+ .*[0-9] )' || true
done
