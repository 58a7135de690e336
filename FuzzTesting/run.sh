#!/usr/bin/env bash
# run.sh SECONDS [TARGET…]: builds the fuzzing targets with the address sanitizer and runs each for SECONDS.
# The corpus grows in Corpus/<target> (not committed; seeded from the fixtures). What fails is kept in
# FailCases/<property>, which the unit tests replay: commit it together with the fix.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:?usage: run.sh SECONDS [TARGET...]}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(FuzzRequestHead FuzzResponseHead FuzzChunked FuzzSSE FuzzJSON FuzzStreams FuzzDocuments FuzzConfiguration)

property() {
  case $1 in
    FuzzRequestHead) echo request-head ;;
    FuzzResponseHead) echo response-head ;;
    FuzzChunked) echo chunked ;;
    FuzzSSE) echo sse ;;
    FuzzJSON) echo json ;;
    FuzzStreams) echo streams ;;
    FuzzDocuments) echo documents ;;
    FuzzConfiguration) echo configuration ;;
    *) echo "unknown target $1" >&2; exit 2 ;;
  esac
}

# The bytes of the cases as files; for chunks only what follows a head.
seed_http1() {
  local cases=requests number=0 text='' in_body=1 line
  [ "$1" = FuzzResponseHead ] && cases=responses
  [ "$1" = FuzzChunked ] && in_body=0
  local whole=$in_body
  while IFS= read -r line; do
    case $line in
      'case: '*)
        printf '%b' "$text" > "$2/seed-$number"
        number=$((number + 1)) text='' in_body=$whole
        ;;
      'bytes: '*)
        line=${line#bytes: }
        [ "$in_body" = 1 ] && text+=$line
        [ "$line" = '\r\n' ] && in_body=1
        ;;
    esac
  done < "../Tests/Fixtures/http1/$cases.cases"
  printf '%b' "$text" > "$2/seed-$number"
}

# pair FILE SEED PROVIDER: a sample behind the two bytes that choose a client's protocol (in turn) and the provider.
turn=0
pair() {
  { printf '%b' "$(printf '\\x%02x\\x%02x' $((turn % 10)) "$3")"; cat "$1"; } > "$2"
  turn=$((turn + 1))
}

# seed_pairs FOLDER PATTERN: samples of every provider.
seed_pairs() {
  local places=(openai azure-openai anthropic gemini cohere mistral huggingface local bedrock) place file
  for place in "${!places[@]}"; do
    for file in ../Tests/Fixtures/"${places[place]}"/$2; do
      [ ! -e "$file" ] || pair "$file" "$1/seed-$place-$(basename "$file")" "$place"
    done
  done
  for file in ../Tests/Fixtures/{ollama,llamacpp,vllm,tgi,localai}/$2; do
    [ ! -e "$file" ] || pair "$file" "$1/seed-7-$(basename "$(dirname "$file")")-$(basename "$file")" 7
  done
}

# The words of a configuration file, from its schema.
write_dictionary() {
  grep -oE '"[a-z_]+": *\{' ../docs/sluice.schema.json | grep -oE '[a-z_]+' | sort -u | sed 's/.*/"&: "/' > "$1"
  printf '%s\n' '"${"' '"\x0a  "' '"\x0a- "' '"- {"' '": ["' '"*"' '"&"' '"<<: "' '"10s"' '"20%%"' '"8MiB"' >> "$1"
}

# Seeds: the raw bytes of the corpus cases, and the provider samples.
seed() {
  local target=$1 folder=Corpus/$1
  mkdir -p "$folder"
  case $target in
    FuzzRequestHead | FuzzResponseHead | FuzzChunked) seed_http1 "$target" "$folder" ;;
    FuzzSSE) for file in ../Tests/Fixtures/*/*.sse; do cp "$file" "$folder/seed-$(basename "$file")"; done ;;
    FuzzStreams)
      seed_pairs "$folder" '*stream*.sse'
      seed_pairs "$folder" '*.ndjson'
      seed_pairs "$folder" '*.bin'
      ;;
    FuzzDocuments) seed_pairs "$folder" '*.json' ;;
    FuzzConfiguration)
      cp ../Examples/gateway/sluice.yaml "$folder/seed-example"
      write_dictionary "Corpus/$target.dict"
      ;;
    FuzzJSON) for file in ../Tests/Fixtures/*/*.request.json; do cp "$file" "$folder/seed-$(basename "$file")"; done ;;
  esac
}

for target in "${targets[@]}"; do
  property "$target" > /dev/null
done
# The linker comes with the toolchains of swift.org; a distribution's may leave it to a package of its own.
toolchain=$(swiftc -print-target-info | sed -nE 's/.*"runtimeResourcePath": *"(.*)\/lib\/swift".*/\1/p')
[ -x "$toolchain/bin/ld.lld" ] || command -v ld.lld > /dev/null || ../dev/bootstrap lld
swift build -c release -j 2
binaries=$(swift build -c release --show-bin-path)

passed=0 failed=0
for target in "${targets[@]}"; do
  fails=FailCases/$(property "$target")
  mkdir -p "$fails"
  seed "$target"
  echo "== $target for ${seconds} s"
  dictionary=()
  for file in "Dictionaries/$target.dict" "Corpus/$target.dict"; do
    [ ! -f "$file" ] || dictionary=("-dict=$file")
  done
  log=Corpus/$target.log
  status=0
  # The schema's constants hold enum payloads whose tagged pointers the leak detector does not follow.
  leaks=1
  [ "$target" != FuzzConfiguration ] || leaks=0
  ASAN_OPTIONS=detect_leaks=$leaks "$binaries/$target" "Corpus/$target" "$fails" "${dictionary[@]}" \
    -detect_leaks="$leaks" -max_total_time="$seconds" -max_len=8192 -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$fails/" > "$log" 2>&1 || status=1
  if [ "$status" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  grep -E '^stat::|^SUMMARY|Fatal error|Test unit written|^#[0-9]+[[:space:]]+DONE|^==[0-9]+==' "$log" || true
done
[ -n "${RESULTS:-}" ] && echo "$passed $failed" > "$RESULTS/counts"
[ "$failed" = 0 ]
