# Shell functions for trying Proxie out by hand. README.md, docs/tour.md and docs/runbook.md load them with `.
# scripts/shell.sh`, in a bash in the root of the checkout, while a stack of `npm start` runs. They need curl and node.

# stack EXPRESSION: a value of stack.json, for example `stack urls.api`.
stack() {
  node -p "JSON.parse(require('fs').readFileSync((process.env.PROXIE_HOME || '.proxie') + '/stack.json')).$1 ?? ''"
}

# The base URL of the API's paths.
API=$(stack urls.api)/api/v1

# field EXPRESSION: a value of the JSON on standard input, for example `field items[0].id`; empty when there is no such value.
field() {
  node -p "JSON.parse(require('fs').readFileSync(0)).$1 ?? ''"
}

# token SUBJECT ROLE: an access token of the development issuer for any user (docs/clients.md).
token() {
  npm run --silent token -- --subject "$1" --roles "$2"
}

# call TOKEN METHOD PATH [JSON]: sends one request to the API; prints the body of the answer, also of a refusal. A temporary
# failure (429, 503) is repeated with the same Idempotency-Key, which is safe.
call() {
  curl -sS --retry 5 -X "$2" "$API$3" -H "Authorization: Bearer $1" -H "Idempotency-Key: $(date +%s)-$RANDOM-$RANDOM" \
    -H 'Content-Type: application/json' ${4:+-d "$4"} -w '\n'
}

# get TOKEN PATH EXPRESSION: one value of the answer of GET.
get() {
  call "$1" GET "$2" | field "$3"
}

# wait_for PATTERN COMMAND…: repeats the command until it succeeds and its output matches the pattern, then prints the output.
# Gives up after a minute.
wait_for() {
  local pattern=$1 seen='' end=$((SECONDS + 60))
  shift
  while :; do
    # shellcheck disable=SC2053 # a pattern, not a text
    if seen=$("$@" 2>&1) && [[ $seen == $pattern ]]; then break; fi
    if ((SECONDS >= end)); then
      echo "waited a minute for $pattern; the last answer was: $seen" >&2
      return 1
    fi
    sleep 0.3
  done
  echo "$seen"
}

# web_ui WORKFLOW_ID: the address of a run in the Temporal Web UI.
web_ui() {
  echo "$(stack urls.temporalUi)/namespaces/$(stack urls.temporalNamespace)/workflows?query=WorkflowId%3D%22$1%22"
}

# temporal …: Temporal's CLI, from PATH or from the folder where `npm start` keeps it, connected to the server of the stack.
# TEMPORAL_ADDRESS is set for this one call only. If it were exported, `npm start` would use that server instead of its own.
temporal() {
  local cli
  for cli in "$(type -P temporal)" "${PROXIE_HOME:-.proxie}/bin/temporal" "${XDG_CACHE_HOME:-$HOME/.cache}"/proxie/bin/temporal-*; do
    if [[ -x $cli ]]; then break; fi
  done
  TEMPORAL_ADDRESS=$(stack urls.temporal) TEMPORAL_NAMESPACE=$(stack urls.temporalNamespace) "$cli" "$@"
}
