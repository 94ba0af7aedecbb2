#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Shows the progress of a ninja build in one line, or without a terminal as a line every 10 %. Writes the whole output to
# LOG.
#
#   ninja | toolchains/progress.sh LOG TITLE
set -u
log=$1 title=$2
start=$SECONDS shown=-1
: > "$log"
while IFS= read -r line; do
  echo "$line" >> "$log"
  [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
  done=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]}
  percent=$((100 * done / all))
  if [ -t 1 ]; then
    printf '\r%s: %d of %d, %d s ' "$title" "$done" "$all" $((SECONDS - start))
  elif [ $((percent / 10)) -gt $((shown / 10)) ] || [ "$shown" -lt 0 ]; then
    echo "$title: $percent % of $all files, $((SECONDS - start)) s"
    shown=$percent
  fi
done
if [ -t 1 ]; then echo; fi
