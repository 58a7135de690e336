#!/usr/bin/env bash
# run.sh thread|address [arguments for `swift test`]
# Threads: the stress tests of the runtime. Addresses: the tests of the parsers. A report of the sanitizer fails the run.
set -euo pipefail
cd "$(dirname "$0")"

case "${1:-}" in
  thread)
    # The standard library's mutex is invisible to the thread sanitizer on Linux: see Lock.swift.
    flags=(--sanitize=thread -Xswiftc -DSLUICE_TSAN)
    export TSAN_OPTIONS="halt_on_error=0 exitcode=66 ${TSAN_OPTIONS:-}"
    ;;
  address)
    flags=(--sanitize=address)
    # Leaks are judged by the tests themselves; the leak checker needs ptrace, which containers often refuse.
    export ASAN_OPTIONS="detect_leaks=0 ${ASAN_OPTIONS:-}"
    ;;
  *)
    echo "usage: $0 thread|address [arguments for swift test]" >&2
    exit 64
    ;;
esac
kind=$1
shift
# What Package.swift holds.
export SLUICE_SANITIZER=$kind

exec swift test --scratch-path "${SANITIZER_SCRATCH:-.build-$kind}" "${flags[@]}" "$@"
