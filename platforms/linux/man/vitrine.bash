# SPDX-License-Identifier: Apache-2.0
# Completes vitrine's subcommands, options and files in bash: what the command's own --help names.
_vitrine() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} names
  local help=(vitrine --help) names_at='/^Subcommands:/ { in_list = 1; next } in_list { print $1 }'
  COMPREPLY=()
  if [ "$COMP_CWORD" -gt 1 ]; then
    help=(vitrine "${COMP_WORDS[1]}" --help)
    names_at='/^  -/ { count = split($1, all, ","); for (i = 1; i <= count; ++i) print all[i] }'
    case $before in
      --format) names='yuyv nv12 i420 rgb24 bgr24 mjpeg gray' names_at= ;;
      --stdin) names='y4m mjpeg' names_at= ;;
    esac
    [[ $word == -* || -n ${names:-} ]] || return 0  # files, by -o default
  fi
  if [ -n "$names_at" ]; then names=$("${help[@]}" 2> /dev/null | awk "$names_at"); fi
  # shellcheck disable=SC2207  # names are words
  COMPREPLY=($(compgen -W "$names" -- "$word"))
}
complete -o default -F _vitrine vitrine
