#!/bin/bash
# `labelrelay` as a reader runs it: `serve` in a terminal of its own, and what has no end until it has said something.
set -euo pipefail

runs() {
  case "$(ps -o stat= -p "$1")" in '' | Z*) return 1 ;; esac
}

stop_serving() {
  [ -e "$PAGE/serve.pid" ] || return 0
  local pid
  pid=$(cat "$PAGE/serve.pid")
  kill -TERM "$pid" 2>/dev/null || true
  while runs "$pid"; do sleep 0.05; done
  rm -f "$PAGE/serve.pid" "$PAGE/ready"
}

serve() {
  stop_serving
  "$PROGRAM" "$@" --ready-file "$PAGE/ready" >"$PAGE/serve.out" 2>"$PAGE/serve.log" </dev/null &
  echo $! >"$PAGE/serve.pid"
  until [ -s "$PAGE/ready" ]; do
    runs $! || { cat "$PAGE/serve.log" >&2; exit 1; }
    sleep 0.05
  done
}

until_it_says_something() {
  "$PROGRAM" "$@" >"$PAGE/said" 2>&1 </dev/null &
  until [ -s "$PAGE/said" ]; do sleep 0.05; done
  kill -TERM $! 2>/dev/null || true
  local code=0
  wait $! || code=$?
  cat "$PAGE/said"
  [ $code = 0 ] || [ $code = 143 ] || exit $code
}

# Nobody answers there: it says so, and waits. Or nobody knows the name, and it ends.
to_nobody() {
  local code=0
  (until_it_says_something "$@") || code=$?
  [ $code = 0 ] || grep -q 'no address of the host' "$PAGE/said" || exit $code
}

# The section that a page has told its reader to write.
has_webhook_section() {
  local file=.labelrelay/labelrelay.toml
  grep -qF '[source.webhook]' "$file" ||
    printf '\n[source.webhook]\nurl = "%s"\ntoken = "env:TESTS_TOKEN"\n' "$TESTS_LABEL_STUDIO" >>"$file"
}

# The program of the tests has no cloud in it, or no credentials of one, and says so.
all_but_clouds() {
  local code=0
  "$PROGRAM" "$@" 2>"$PAGE/said" || code=$?
  cat "$PAGE/said" >&2
  if [ $code = 78 ] && grep -q -e '--features' -e 'needs credentials' "$PAGE/said"; then code=0; fi
  exit $code
}

case "$*" in
"pull labelbox"* | "connect labelbox"* | "connect list labelbox"*) set -- "$@" --endpoint "$STAND_IN_LABELBOX" ;;
esac
case "$*" in
"connect" | "connect --"*) has_webhook_section ;;
esac
case " $* " in
" stop-serving ") stop_serving ;;
*" --demo "*) exec "$PROGRAM" "$@" ;;
" serve "*) serve "$@" ;;
" consume --to "*) to_nobody "$@" ;;
*" --every "* | *" --follow "*) until_it_says_something "$@" ;;
*) all_but_clouds "$@" ;;
esac
