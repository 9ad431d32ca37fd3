/**
 * For bash 4.4 and later, whose PS0 is printed before each command: so no DEBUG trap is touched. The hook
 * goes before what is in PROMPT_COMMAND, since it needs the exit status, and passes that on. A command
 * that history did not take, as one behind a blank, is nobody's business: it is marked without its text.
 */
export const BASH =
  String.raw`# holdfast shell-integration bash: tells the terminal where commands begin and end.
if [[ $- == *i* && -z "$\{__holdfast_shell-}" && $\{TERM-} != dumb ]] && shopt -q promptvars &&
  ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)); then
  __holdfast_shell=$$
  __holdfast_ran=0
  __holdfast_history=

  __holdfast_encode() { # sets REPLY
    local LC_ALL=C
    REPLY=$\{1//'%'/'%25'}
    REPLY=$\{REPLY//';'/'%3B'}
    REPLY=$\{REPLY//' '/'%20'}
    REPLY=$\{REPLY//'#'/'%23'}
    REPLY=$\{REPLY//'?'/'%3F'}
    REPLY=$\{REPLY//$'\n'/'%0A'}
    REPLY=$\{REPLY//$'\t'/'%09'}
    REPLY=$\{REPLY//[[:cntrl:]]/}
  }

  # The newest entry of history with its number.
  __holdfast_newest() { HISTTIMEFORMAT='' builtin history 1 2>/dev/null; }

  # Runs in PS0, in a process of its own: what it prints is all that stays of it.
  __holdfast_start() {
    local line REPLY=
    line=$(__holdfast_newest)
    if [[ $line != "$__holdfast_history" && $line =~ ^[[:space:]]*[0-9]+[*]?[[:space:]]+(.*)$ ]]; then
      __holdfast_encode "$\{BASH_REMATCH[1]:0:1024}"
    fi
    printf '\e]133;C;aid=%s%s\a' "$__holdfast_shell" "$\{REPLY:+;cmdline_url=$REPLY}"
  }

  __holdfast_prompt() {
    local status=$? REPLY
    if ((__holdfast_ran)); then
      printf '\e]133;D;%s;aid=%s\a' "$status" "$__holdfast_shell"
      __holdfast_ran=0
    fi
    __holdfast_encode "$PWD"
    printf '\e]7;file://%s%s\a\e]133;A;aid=%s\a' "$HOSTNAME" "$REPLY" "$__holdfast_shell"
    __holdfast_history=$(__holdfast_newest)
    return "$status"
  }

  # The arithmetic is done in this shell, the rest in a process of its own.
  PS0='$\{__holdfast_shell:((__holdfast_ran=1)):0}$(__holdfast_start)'"$\{PS0-}"
  if [[ $(declare -p PROMPT_COMMAND 2>/dev/null) == 'declare -a'* ]]; then
    PROMPT_COMMAND=(__holdfast_prompt "$\{PROMPT_COMMAND[@]}")
  else
    PROMPT_COMMAND=__holdfast_prompt$\{PROMPT_COMMAND:+$'\n'$PROMPT_COMMAND}
  fi
fi
`.replaceAll('$\\{', '${');
